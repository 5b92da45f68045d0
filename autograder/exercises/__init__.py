"""The exercises of the course: one page each, with all that is known about it."""

from autograder.exercises.append_kv import APPEND_KV
from autograder.exercises.attend_with_cache import ATTEND_WITH_CACHE
from autograder.exercises.block import BLOCK
from autograder.exercises.cached_causal_mask import CACHED_CAUSAL_MASK
from autograder.exercises.causal_attention import CAUSAL_ATTENTION
from autograder.exercises.causal_mask import CAUSAL_MASK
from autograder.exercises.count_parameters import COUNT_PARAMETERS
from autograder.exercises.decode import DECODE
from autograder.exercises.embed import EMBED
from autograder.exercises.find_leak import FIND_LEAK
from autograder.exercises.gelu import GELU
from autograder.exercises.generate import GENERATE
from autograder.exercises.gpt2 import GPT2
from autograder.exercises.gpt2_attention import GPT2_ATTENTION
from autograder.exercises.head_contributions import HEAD_CONTRIBUTIONS
from autograder.exercises.kit import Exercise, Question
from autograder.exercises.kv_cache_bytes import KV_CACHE_BYTES
from autograder.exercises.layer_norm import LAYER_NORM
from autograder.exercises.make_qkv import MAKE_QKV
from autograder.exercises.masked_softmax import MASKED_SOFTMAX
from autograder.exercises.merge_heads import MERGE_HEADS
from autograder.exercises.mlp import MLP
from autograder.exercises.multi_head_attention import MULTI_HEAD_ATTENTION
from autograder.exercises.next_token_pairs import NEXT_TOKEN_PAIRS
from autograder.exercises.project import PROJECT
from autograder.exercises.projection_counts import PROJECTION_COUNTS
from autograder.exercises.qkv_projection import QKV_PROJECTION
from autograder.exercises.questions import QUESTIONS
from autograder.exercises.recover_divisor import RECOVER_DIVISOR
from autograder.exercises.scaled_scores import SCALED_SCORES
from autograder.exercises.self_attention import SELF_ATTENTION
from autograder.exercises.softmax import SOFTMAX
from autograder.exercises.split_heads import SPLIT_HEADS
from autograder.exercises.weighted_sum import WEIGHTED_SUM

# In the order in which learners meet them.
LESSONS: dict[str, tuple[Exercise, ...]] = {
    "00_orientation": (EMBED,),
    "01_self_attention": (
        MAKE_QKV,
        SCALED_SCORES,
        SOFTMAX,
        WEIGHTED_SUM,
        SELF_ATTENTION,
    ),
    "02_masked_attention": (
        NEXT_TOKEN_PAIRS,
        CAUSAL_MASK,
        MASKED_SOFTMAX,
        CAUSAL_ATTENTION,
        FIND_LEAK,
        RECOVER_DIVISOR,
    ),
    "03_kv_cache": (
        APPEND_KV,
        CACHED_CAUSAL_MASK,
        ATTEND_WITH_CACHE,
        DECODE,
        PROJECTION_COUNTS,
        KV_CACHE_BYTES,
    ),
    "04_multi_head": (
        QKV_PROJECTION,
        SPLIT_HEADS,
        MERGE_HEADS,
        MULTI_HEAD_ATTENTION,
    ),
    "05_projection": (
        PROJECT,
        HEAD_CONTRIBUTIONS,
        GPT2_ATTENTION,
    ),
    "06_block": (
        LAYER_NORM,
        GELU,
        MLP,
        BLOCK,
    ),
    "07_gpt2": (
        GPT2,
        GENERATE,
        COUNT_PARAMETERS,
    ),
}


def all_exercises() -> list[Exercise]:
    """Return the exercises of all lessons in the course's order."""
    return [exercise for exercises in LESSONS.values() for exercise in exercises]


def find_exercise(name: str) -> Exercise:
    """Return the exercise with this name.

    Raises
    ------
    ValueError
        If there is none.
    """
    for exercise in all_exercises():
        if exercise.name == name:
            return exercise
    known = ", ".join(exercise.name for exercise in all_exercises())
    raise ValueError(f"there is no exercise named {name!r}; there are: {known}")


def questions(lesson: str) -> list[Question]:
    """Return the predict and recall questions of a lesson."""
    return list(QUESTIONS[lesson])
