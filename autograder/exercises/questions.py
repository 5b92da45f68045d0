"""The questions of the lessons: predict, and recall."""

from autograder.exercises.kit import Question

QUESTIONS: dict[str, tuple[Question, ...]] = {
    "00_orientation": (
        Question(
            id="00-index",
            right=7,
            replies={
                "right": "Eight tokens, positions 0 to 7. With the article's start token in front it "
                "would be index 8, which is number 9 when you count from 1.",
                "wrong": "Count from 0: 'A' has index 0, 'robot' has index 1. How far do you get at "
                "the eighth token?",
            },
        ),
        Question(
            id="00-sum",
            right="a",
            replies={
                "a": "The last axis, of size 3, disappears. One sum is left for each of the 4 tokens.",
                "b": "(3,) is what is left when axis 0, the tokens, disappears. The last axis holds "
                "the 3 features.",
                "c": "A sum along an axis makes that axis disappear. Which one is the last here?",
                "d": "`x.sum()` without an axis gives one number. With an axis, only that axis "
                "disappears.",
            },
        ),
        Question(
            id="00-leading",
            right="d",
            replies={
                "a": "Axis 0 is the tokens in `x` and the sentences in `batch`. We want to add up "
                "features.",
                "b": "Right for `x` only. In `batch`, axis 1 is the tokens.",
                "c": "Right for `batch` only: `x` has no axis 2, and NumPy would complain.",
                "d": "Counted from the back, the features are the last axis in both. That is why "
                "this course says `axis=-1`.",
            },
        ),
        Question(
            id="00-product",
            right="c",
            replies={
                "a": "That is the result for one sentence. The batch has two, and its leading axis "
                "stays.",
                "b": "The 3 features meet the 3 rows of `w` and disappear. The columns of `w` take "
                "their place.",
                "c": "Each of the two sentences is multiplied on its own: [4, 3] @ [3, 2] is [4, 2], "
                "with the 2 sentences in front.",
                "d": "NumPy accepts it: `@` works on the last two axes and uses the same `w` for "
                "every leading axis.",
            },
        ),
        Question(
            id="00-change",
            right="b",
            replies={
                "a": "`values` and `a` are two names of one array, and `/=` writes into it. Run the "
                "next cell.",
                "b": "`values` and `a` are two names of one array, and `/=` writes into it.",
            },
        ),
        Question(
            id="00-obey",
            right=-1.0,
            replies={
                "right": "-0.8 and -0.2: position by position, the two rows are added.",
                "wrong": "Add the two last numbers, -0.8 and -0.2. Mind the signs.",
            },
        ),
        Question(
            id="00-why-positions",
            right="d",
            replies={
                "a": "They have the same id with `wpe`, too: the id says which token it is, not where "
                "it stands.",
                "b": "The two vectors are added, not put one after the other: there are D numbers, "
                "with `wpe` or without.",
                "c": "The rows are in order, but you will see in lesson 01 that attention by itself "
                "takes no notice of the order of rows.",
                "d": "Same id, same row of `wte`. Only the position vector tells the two apart.",
            },
        ),
        Question(
            id="00-start",
            right=5,
            replies={
                "right": "Positions 0 to 4 are taken, so the new token stands at position 5. Lesson "
                "03 builds on this.",
                "wrong": "Positions 0, 1, 2, 3 and 4 are taken. Which one comes next?",
            },
        ),
        Question(
            id="00-recall-shape",
            right="c",
            replies={
                "a": "That is one sentence. What happens to the leading axis of a batch?",
                "b": "Sentences stay apart: the leading axis is kept.",
                "c": "Leading axes stay, then tokens, then features.",
                "d": "The features come last: [..., T, D].",
            },
        ),
        Question(
            id="00-recall-keepdims",
            right="b",
            replies={
                "a": "Its shape is (5,). NumPy would line it up with the 7 columns and complain.",
                "b": "Its shape is (5, 1): one sum for each row, repeated for all its columns.",
                "c": "That is one sum of everything, not one for each row.",
                "d": "That is one sum for each column.",
            },
        ),
    ),
    "01_self_attention": (
        Question(
            id="01-it",
            right="c",
            replies={
                "a": "The orders are what is given. They are given to something: to what?",
                "b": "'given' says what happens. 'it' stands for a thing: for which one?",
                "c": "The orders are given to the robot, so that is where 'it' should look.",
                "d": "'it' alone could be anything. Which word before it says what is meant?",
            },
        ),
        Question(
            id="01-why-three",
            right="d",
            replies={
                "a": "They would fit: queries and keys have the same size anyway.",
                "b": "Different tokens would still have different vectors, and so different scores.",
                "c": "It could, and its score would tend to be high: a vector fits itself well.",
                "d": "A dot product is the same both ways round. With two matrices a token can look "
                "at another one that does not look back.",
            },
        ),
        Question(
            id="01-why-row",
            right="a",
            replies={
                "a": "The first index is the row, the token that asks. The second is the column, the "
                "token that is asked.",
                "b": "It is the other way round: the row is the query. Row 3 is 'orders'.",
                "c": "Compare `scores[3, 0]` with `scores[0, 3]`: they differ, because queries and "
                "keys come from different matrices.",
            },
        ),
        Question(
            id="01-weight",
            right=0.0829,
            replies={
                "right": "0.49 of 5.86 is about 0.083, that is 8 %.",
                "wrong": "'robot' comes first: divide 0.49 by the sum, 5.86. Give a number between 0 "
                "and 1, such as 0.54, not a percentage.",
            },
        ),
        Question(
            id="01-shift",
            right="b",
            replies={
                "a": "Each exp becomes smaller, but so does their sum. Run the next cell.",
                "b": "Each exp is divided by the same number, exp(2), and so is their sum. Only "
                "differences between scores matter.",
                "c": "That happens when all scores are multiplied by a number above 1. Here the "
                "differences stay as they are.",
            },
        ),
        Question(
            id="01-why-exp",
            right="c",
            replies={
                "a": "How much a large score gets is a matter of taste. But look at the scores of "
                "'robot' and 'must': what share would they get?",
                "b": "A division leaves the shape as it is. But look at the scores of 'robot' and "
                "'must'.",
                "c": "Here 'robot' would get a negative share. exp makes every number positive and "
                "keeps the order.",
                "d": "It would be faster. But look at the scores of 'robot' and 'must'.",
            },
        ),
        Question(
            id="01-saturation",
            right="d",
            replies={
                "a": "Equal shares come out when all scores are close together. Without scaling they "
                "are far apart. Run the next cell.",
                "b": "That is what scaling gives, for any d. Run the next cell and look at the "
                "lower line.",
                "c": "It is more than that. Run the next cell.",
                "d": "For d = 64 the scores spread 8 times as far as scaled ones, so the largest one "
                "takes nearly all.",
            },
        ),
        Question(
            id="01-why-scale",
            right="a",
            replies={
                "a": "Training follows small changes. Where softmax is saturated they have next to no "
                "effect, and the tokens with tiny weights are hardly heard.",
                "b": "They always sum to 1, also when one of them takes nearly everything.",
                "c": "It does not: your softmax subtracts the largest score first. The trouble is "
                "another one.",
                "d": "Without scaling they get too large, not too small.",
            },
        ),
        Question(
            id="01-why-blend",
            right="c",
            replies={
                "a": "Large scores move the weight to one key. Then the result comes close to that "
                "key's value, at most 3 here.",
                "b": "More tokens share the same 1. The result stays between the smallest and the "
                "largest of their values.",
                "c": "So the result lies between the smallest and the largest: a blend.",
            },
        ),
        Question(
            id="01-order",
            right="a",
            replies={
                "a": "Each token meets the same keys and values, and a sum does not depend on the "
                "order. So each keeps its result and takes it along to its new place.",
                "b": "Each token meets the same keys and values as before, only in another order. "
                "Does the order of a sum matter?",
                "c": "Row 0 is now 'orders', which asks with another query than 'robot'.",
            },
        ),
        Question(
            id="01-recall-position",
            right=0,
            replies={
                "right": "Positions start at 0.",
                "wrong": "In code positions start at 0, as all indices in Python do.",
            },
        ),
    ),
    "02_masked_attention": (
        Question(
            id="02-softmax",
            right=0.42,
            replies={
                "right": "1.21 of 2.86 is 0.42. Now look at row 1 of the article's table.",
                "wrong": "Divide exp(0.19), which is 1.21, by the sum, 2.86. Two decimals.",
            },
        ),
        Question(
            id="02-pairs",
            right=8,
            replies={
                "right": "Every token but the first is a target once. A text of 1,024 tokens, the most "
                "that GPT-2 takes, gives 1,023 pairs.",
                "wrong": "Every token but the first is a target once. How many tokens is that?",
            },
        ),
        Question(
            id="02-why-itself",
            right="d",
            replies={
                "a": "It can be the largest of all: the first token gives itself 100 %.",
                "b": "It is used, with the token's own weight, like all the others it sees.",
                "c": "It does keep the first row from being empty. But is it harmless in the others, "
                "too? What does each row have to predict?",
                "d": "A row has read its own token. What it must not see is its target, the token "
                "after it.",
            },
        ),
        Question(
            id="02-zero",
            right="c",
            replies={
                "a": "That is what was intended. But exp(0) is not 0. Run the next cell.",
                "b": "About a quarter is what EACH of them gets. Run the next cell and add up.",
                "c": "exp(0) is 1, nearly as much as exp(0.11). Four nearly equal shares; three of "
                "them leak.",
            },
        ),
        Question(
            id="02-why-four",
            right="b",
            replies={
                "a": "It fits, but where would 3.62 come from? Its square is 13.1, an unusual size "
                "for a query.",
                "b": "Lesson 01 divides by the root of d. Any d from 13.1 to 20.3 fits, and sizes are "
                "mostly powers of two: 16.",
                "c": "The number is right, the reason is not: the scale does not depend on the number "
                "of tokens, but on the size of a query.",
                "d": "The middle is a fine answer for a computer. But where does the divisor in "
                "attention come from?",
            },
        ),
        Question(
            id="02-first",
            right=1,
            replies={
                "right": "It sees only itself, so it gets everything, whatever the score.",
                "wrong": "How many tokens may row 0 see? Its weights still sum to 1, not to 100.",
            },
        ),
        Question(
            id="02-moves",
            right="d",
            replies={
                "a": "So it is without a mask. Whose future is 'obey'? Run the next cell.",
                "b": "'obey' moves, but who else sees it? Run the next cell.",
                "c": "For these two 'obey' is the future: they must not see it. Run the next cell.",
                "d": "A token's result depends on itself and on what came before, on nothing else. So "
                "only 'obey' and the tokens after it can move.",
            },
        ),
        Question(
            id="02-why-mask",
            right="a",
            replies={
                "a": "A model that can see the next token learns to copy it, and then has nothing to "
                "copy from when it writes.",
                "b": "It only hides some of them. What keeps softmax from saturating is the scale.",
                "c": "Softmax makes every row sum to 1, with a mask and without.",
            },
        ),
        Question(
            id="02-recall-scale",
            right=8,
            replies={
                "right": "The root of 64. OpenAI's code does it before the mask, as you do.",
                "wrong": "By the square root of d. What is the root of 64?",
            },
        ),
        Question(
            id="02-recall-batch",
            right="c",
            replies={
                "a": "That is one sentence. The leading axis, 2 sentences, stays.",
                "b": "The 6 meets the 6 of `w` and disappears.",
                "c": "Leading axes stay; the last axis becomes that of `w`.",
            },
        ),
    ),
    "03_kv_cache": (
        Question(
            id="03-same-rows",
            right=0,
            replies={
                "right": "Each row of `k` is a row of `x` times `w_k`. A new row of `x` adds a row and "
                "changes none.",
                "wrong": "Row 0 of `k` is row 0 of `x` times `w_k`. Does the new row 3 of `x` take "
                "part in that?",
            },
        ),
        Question(
            id="03-needed",
            right="d",
            replies={
                "a": "With its own key and value alone, the token could look only at itself.",
                "b": "That is enough, but too much. Row 3 of the scores is made from one query. Which?",
                "c": "A query belongs to the token that asks. Here only 'orders' asks, and it may look "
                "at all tokens.",
                "d": "One query meets all keys, and the weights blend all values.",
            },
        ),
        Question(
            id="03-layer-1",
            right="a",
            replies={
                "a": "An old token's result depends on itself and the tokens before it. The next cell "
                "shows both cases.",
                "b": "Without a mask, 'robot' would look at 'orders' too, so its result would change, "
                "and its key in layer 1 with it. Run the next cell.",
                "c": "The key of 'robot' in layer 1 is made from its result in layer 0. May 'robot' "
                "look at 'orders'?",
            },
        ),
        Question(
            id="03-why-no-queries",
            right="b",
            replies={
                "a": "A query has just as many numbers as a key; otherwise they could not be "
                "multiplied.",
                "b": "A query is used for its own token's row and no other. The mask makes sure that "
                "this row stays as it is.",
                "c": "Queries come from `x` and `w_q`; the keys do not tell them.",
            },
        ),
        Question(
            id="03-true",
            right=11,
            replies={
                "right": "'given' sees 5 tokens, 'it' sees all 6.",
                "wrong": "'given' sees the four old tokens and itself. 'it' sees one token more. Add "
                "the two rows.",
            },
        ),
        Question(
            id="03-why-corner",
            right="c",
            replies={
                "a": "Its own key is the last column. Where is the only True of `np.tri(1, 5)`?",
                "b": "That is what it should see. `np.tri(1, 5)` has one True only.",
                "c": "Row 0 of a triangle in the upper left corner has True in column 0 only, and "
                "column 0 is the oldest key. Real libraries have had this bug.",
                "d": "One True is there: `np.tri(1, 5)` begins with it. Which key is in column 0?",
            },
        ),
        Question(
            id="03-tamper",
            right="a",
            replies={
                "a": "The result blends the old values, so it changes with them. In which order they "
                "stand makes no difference to a sum.",
                "b": "Other old values give another blend: that must show. And does a sum depend on "
                "the order of its parts?",
                "c": "The other values show. But the exchanged tokens keep their keys, so each keeps "
                "its weight and its value. Does the order of a sum matter?",
                "d": "The result is a blend of old and new values. If old values change, it changes.",
            },
        ),
        Question(
            id="03-why-order",
            right="c",
            replies={
                "a": "The output of the next token does not change. But a cache is also cut, to go on "
                "from an earlier place in the text.",
                "b": "They still sum to 1: the same weights, in another order.",
                "c": "The order of the rows is all that tells which token a row belongs to.",
            },
        ),
        Question(
            id="03-why-chunks",
            right="b",
            replies={
                "a": "Step 3 would get a cache with the second token only, and miss the first.",
                "b": "With two chunks, the cache of the first step holds all there is. From the third "
                "chunk on, the first is missing. So test with three chunks or more.",
                "c": "The third chunk would get a cache with the second chunk only, and miss the first "
                "token.",
                "d": "The second chunk needs what the first left behind, and that is there. When does "
                "something go missing?",
            },
        ),
        Question(
            id="03-nine",
            right=45,
            replies={
                "right": "1 + 2 + ... + 9. With a cache it is 9.",
                "wrong": "At every step all tokens so far are projected: 1, then 2, and so on up to 9. "
                "Add them up.",
            },
        ),
        Question(
            id="03-bytes",
            right=72,
            replies={
                "right": "1,536 numbers times 12 layers times 4 bytes are 73,728 bytes, or 72 KiB.",
                "wrong": "Multiply 1,536 by the 12 layers and by 4 bytes, then divide by 1,024.",
            },
        ),
        Question(
            id="03-recall-start",
            right=7,
            replies={
                "right": "Positions 0 to 6 are taken. If the new token started at 0 again, its result "
                "would be wrong, and no shape would tell.",
                "wrong": "Seven tokens stand at positions 0 to 6. Which position comes next?",
            },
        ),
    ),
    "04_multi_head": (
        Question(
            id="04-two-places",
            right="c",
            replies={
                "a": "High scores make the weights of others small, but the row still sums to 1. Two "
                "times 90 % is more than that.",
                "b": "The mask only takes tokens away. With or without it, the row sums to 1.",
                "c": "A row sums to 1. Whoever looks in two places looks less at each.",
            },
        ),
        Question(
            id="04-width",
            right=384,
            replies={
                "right": "`w` has 3 times 128 columns: 128 numbers each for query, key and value.",
                "wrong": "`w` has the shape (128, 384). A row of 128 numbers times `w`: how many "
                "columns does the result have?",
            },
        ),
        Question(
            id="04-why-key-bias",
            right="c",
            replies={
                "a": "A row of weights sums to 1: not all can grow. How much does each score of one "
                "query change? Run the next cell.",
                "b": "Every key gets the same vector, the last one too. How much does each score of "
                "one query change? Run the next cell.",
                "c": "Every score of a query grows by the same number, query times vector, and softmax "
                "only sees differences (lesson 01). A change of the queries differs from key to key.",
            },
        ),
        Question(
            id="04-reshape",
            right="b",
            replies={
                "a": "So it should be. But a reshape does not know tokens: it reads 0, 1, 2, 3, 4, 5 "
                "and so on, and starts a new line after every 3. Run the next cell.",
                "b": "A reshape reads row after row and starts a new line after every 3 numbers. So "
                "the row of 'must' holds numbers of 'robot'.",
                "c": "12 is where head 1 begins: after 4 lines of 3 numbers. Which line is row 1 of "
                "head 0? Run the next cell.",
            },
        ),
        Question(
            id="04-why-features",
            right="a",
            replies={
                "a": "The shape is 4 heads, 9 tokens, 32 features. A head sees the whole sentence, "
                "through its own part of the features.",
                "b": "Look at the shape: 4 heads, then 9 tokens. All tokens are in every head.",
                "c": "Look at the last axis of the shape: 32, a quarter of 128.",
            },
        ),
        Question(
            id="04-merge",
            right=64,
            replies={
                "right": "Head 0 fills 0 to 31, head 1 fills 32 to 63, and head 2 begins at 64.",
                "wrong": "Two heads stand before it, with 32 numbers each. Python counts from 0.",
            },
        ),
        Question(
            id="04-undo",
            right="a",
            replies={
                "a": "Neither reshape moves a number, so the numbers come back into their old places. "
                "The test cannot see that the heads in between are wrong.",
                "b": "That would be good: then the bug would show. A reshape never moves a number. "
                "Where is each of them after two reshapes? Run the next cell.",
                "c": "The shapes fit all the way, so NumPy is content. Run the next cell.",
            },
        ),
        Question(
            id="04-why-scale",
            right=8,
            replies={
                "right": "768 / 12 = 64 features a head, and the square root of 64 is 8. Splitting "
                "comes first, so `q.shape[-1]` is the size of one head.",
                "wrong": "The scale is the square root of d, the number of features in ONE head. How "
                "many of the 768 does each of the 12 heads get?",
            },
        ),
        Question(
            id="04-compete",
            right="c",
            replies={
                "a": "Each head's ROW sums to 1, over its tokens. Nothing ties one head to another.",
                "b": "Each head's ROW sums to 1, over its tokens. Two heads may both give nearly all "
                "to 'robot'.",
                "c": "Each row of each head sums to 1, over its tokens. Heads do not compete: all four "
                "may look at 'robot', or none.",
            },
        ),
        Question(
            id="04-parameters",
            right=49536,
            replies={
                "right": "The same. More heads share out the same 384 columns in smaller parts: 8 "
                "heads of 16 features instead of 4 of 32.",
                "wrong": "The shape of `w` is [D, 3D]. Is there an H in it? Heads share out the "
                "features that are there.",
            },
        ),
        Question(
            id="04-recall-mask",
            right="b",
            replies={
                "a": "exp(0) is 1: a score of 0 still gets weight. What score gives a weight of 0?",
                "b": "exp of minus infinity is 0, and the others share the 1.",
                "c": "Then the rows no longer sum to 1. Hide before softmax.",
            },
        ),
        Question(
            id="04-recall-cache",
            right="b",
            replies={
                "a": "A query asks once, in its own step. Later tokens ask with their own queries.",
                "b": "Later tokens compare their queries with its key and take from its value. Its own "
                "query is not needed again.",
                "c": "Its weights are used once, for its own result. What do later tokens need of it?",
            },
        ),
    ),
    "05_projection": (
        Question(
            id="05-mixed",
            right="b",
            replies={
                "a": "In the merged row that is so. But a product with a matrix makes each number of "
                "the result from all 128 numbers of the row. Run the next cell.",
                "b": "Head 0 has 32 places in the merged row. Each number of the product is made from "
                "all 128, so head 0 is in every one of them.",
                "c": "After the product, yes. But in the merged row each head has its own 32 places, "
                "and the others do not know about head 0. Run the next cell.",
            },
        ),
        Question(
            id="05-why-mix",
            right="b",
            replies={
                "a": "It could: its weights say where it looks, and they come before the merge.",
                "b": "Its 32 numbers would always be 0 to 31 of the result. Its rows of `w` have 128 "
                "columns: through them it reaches every number.",
                "c": "Values may be negative, and so may a blend of them. That needs no projection.",
            },
        ),
        Question(
            id="05-rows",
            right=704,
            replies={
                "right": "Eleven heads come before it: 11 times 64. Its rows are 704 to 767.",
                "wrong": "Head 0 has the rows 0 to 63, head 1 begins at 64. How many heads come before "
                "head 11, and how many rows do they have together?",
            },
        ),
        Question(
            id="05-why-bias",
            right=3,
            replies={
                "right": "The sum holds `b` four times, once for each head. It belongs there once. So "
                "contributions have no bias.",
                "wrong": "There are 4 contributions, and each holds `b`. How often is `b` in their "
                "sum, and how often does it belong there?",
            },
        ),
        Question(
            id="05-lengths",
            right="b",
            replies={
                "a": "It would be if all rows pointed the same way. Where one row has a positive "
                "number and another a negative one, they cancel out in part.",
                "b": "Where one head writes a positive number and another a negative one, they cancel "
                "out in part. So the result may be shorter, but never longer.",
                "c": "A sum of rows is never longer than the lengths added up: just as a walk with "
                "corners never ends further away than its steps together.",
            },
        ),
        Question(
            id="05-past",
            right=9,
            replies={
                "right": "Six old tokens and three new ones. `present` holds both: it is the past of "
                "the next call.",
                "wrong": "`present` is what the next call gets as its past. Which tokens must that "
                "call be able to see?",
            },
        ),
        Question(
            id="05-why-cached-bias",
            right="b",
            replies={
                "a": "The first call attends with the bias in place: its result is right. What does it "
                "hand to the second one?",
                "b": "The first call is right. The second one blends old values without their bias, "
                "and compares its queries with old keys that lack theirs.",
                "c": "In lesson 04 a vector missing in ALL keys did not show. Here old keys lack it "
                "and new ones have it, and old values lack theirs as well.",
            },
        ),
        Question(
            id="05-parameters",
            right=2362368,
            replies={
                "right": "768 * 2304 + 2304 in `c_attn`, and 768 * 768 + 768 in `c_proj`. The number "
                "of heads plays no part.",
                "wrong": "`c_attn` has D rows, 3D columns and 3D biases. `c_proj` has D rows, D "
                "columns and D biases. With D = 768, add all of it up.",
            },
        ),
        Question(
            id="05-nothing-written",
            right="b",
            replies={
                "a": "The zeros are added to something. To what?",
                "b": "Zeros are added to what entered, so it passes through as it is. A layer only "
                "writes on top.",
                "c": "No mean is taken. The result is added to what entered the layer, token by token.",
            },
        ),
        Question(
            id="05-recall-values",
            right="c",
            replies={
                "a": "Embeddings enter the layer. What is blended has gone through a matrix first. "
                "Which of the three?",
                "b": "Keys are compared with queries; that gives the weights. What do the weights "
                "multiply?",
                "c": "Queries and keys make the weights; the values are what is blended.",
            },
        ),
        Question(
            id="05-recall-reshape",
            right=1,
            replies={
                "right": "For a single token, its row is simply cut. With two or more, a reshape alone "
                "mixes the tokens, and two axes must be swapped.",
                "wrong": "The article says that splitting is simply reshaping. It follows how many "
                "tokens?",
            },
        ),
    ),
    "06_block": (
        Question(
            id="06-norm",
            right="c",
            replies={
                "a": "Layer norm takes the size out: ten times larger deviations are divided by a "
                "spread that is ten times larger.",
                "b": "Deviations and spread both grow ten times. What does that do to the quotient?",
                "c": "Deviations and spread both grow ten times, so the quotient stays (but for eps).",
            },
        ),
        Question(
            id="06-why-eps",
            right="a",
            replies={
                "a": "Every deviation is 0, and so is the variance. With eps the last row below is 0.",
                "b": "That is what comes out with eps. Without it, 0 is divided by the root of 0.",
                "c": "Every deviation is 0, and so is the variance. What is 0 / 0 in NumPy?",
            },
        ),
        Question(
            id="06-gelu",
            right=-0.159,
            replies={
                "right": "0.5 · (-1) · (1 - 0.682) = -0.159. Most of a negative number is held back.",
                "wrong": "Put the numbers in: 0.5 times -1, times the sum of 1 and -0.682.",
            },
        ),
        Question(
            id="06-why-exact",
            right="b",
            replies={
                "a": "The weights were learned together with the tanh formula; another function gives "
                "slightly other results in every layer.",
                "b": "A trained model must be run as it was trained. Each of the 12 layers would "
                "deviate a little.",
                "c": "A difference of 0.0005 in thousands of numbers of every layer does show in the "
                "logits.",
            },
        ),
        Question(
            id="06-why-bend",
            right="c",
            replies={
                "a": "A product changes features only; GELU works on single numbers. Neither mixes "
                "tokens.",
                "b": "More numbers, but (x @ a) @ b is x @ (a @ b): one matrix could do it.",
                "c": "(x @ a) @ b is x @ (a @ b). Only the bend between them makes two worth more "
                "than one.",
            },
        ),
        Question(
            id="06-why-last",
            right="b",
            replies={
                "a": "Every block has two. But where do they stand: on the line above the boxes?",
                "b": "Its layer norms stand before the boxes, not on the line above them, and every "
                "half adds to that line.",
                "c": "That is what softmax does. Layer norm gives mean 0 and variance 1, then gain "
                "and bias.",
            },
        ),
        Question(
            id="06-recall-mask",
            right="a",
            replies={
                "a": "Keys and values of a layer are made from the results of the layer before, and "
                "these stay.",
                "b": "In layer 0 they are. From layer 1 on they are made from results, and into these "
                "other tokens went.",
                "c": "Layer norm keeps nothing. What could change an old result?",
            },
        ),
    ),
    "07_gpt2": (
        Question(
            id="07-logit",
            right=3.0,
            replies={
                "right": "1 · 1 + 0 · 3 + 2 · 1 = 3: softmax makes it the likelier of the two words.",
                "wrong": "Multiply number by number and add up: 1 · 1, 0 · 3, 2 · 1.",
            },
        ),
        Question(
            id="07-why-start",
            right="c",
            replies={
                "a": "All shapes fit, so NumPy sees nothing wrong.",
                "b": "Without a past the positions do begin at 0, so that pass is right.",
                "c": "This mistake has been made in real programs. It hides until someone generates "
                "with a cache.",
            },
        ),
        Question(
            id="07-off",
            right="b",
            replies={
                "a": "Then the head would not matter. See the figure below.",
                "b": 'It still knows that a verb must follow. Which noun "It" stands for is lost.',
                "c": "Zeros added to a sum do no harm: all numbers stay finite.",
            },
        ),
        Question(
            id="07-fed",
            right=16,
            replies={
                "right": "12 in the first call, then one in each of 4 more calls. Without a cache it "
                "would be 12 + 13 + 14 + 15 + 16 = 70.",
                "wrong": "The first call reads the 12 and gives the first new token. Four more tokens "
                "are needed: how many does each of these calls read?",
            },
        ),
        Question(
            id="07-short",
            right=29184,
            replies={
                "right": "12 · (3072 - 768) + 2 · 768 = 27,648 + 1,536.",
                "wrong": "The bias: 12 times 3072 - 768. And `ln_f` has a gain and a bias of 768 "
                "numbers each.",
            },
        ),
        Question(
            id="07-temperature",
            right="b",
            replies={
                "a": "That is what a temperature below 1 does: it makes differences between logits "
                "larger.",
                "b": "Half the difference between two logits, so a smaller ratio between their "
                "probabilities. At a very low temperature only the likeliest word is left: greedy.",
                "c": "Softmax takes out what is added to all logits, not what they are multiplied by.",
            },
        ),
        Question(
            id="07-steer",
            right="b",
            replies={
                "a": 'They see it, but it is this head that says who "it" is. See the figure below.',
                "b": "The rest of the model takes this head's word for it.",
                "c": "That happens when the head looks at a word that is no thing. A robot is one.",
            },
        ),
        Question(
            id="07-recall-root",
            right="b",
            replies={
                "a": "Softmax makes every row sum to 1, however large the scores are.",
                "b": "Products of random queries and keys spread as far as the root of d. Divided by "
                "it, they spread about as far as 1.",
                "c": "Your softmax subtracts the largest score first, so it overflows at no size.",
            },
        ),
    ),
}
