"""How the pocket model was made: grammar, tokenizer, training, evaluation, recording."""
