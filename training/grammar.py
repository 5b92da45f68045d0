"""Robot stories: a small story grammar in which a pronoun must be resolved to go on.

What comes after a pronoun depends on the noun that it stands for:

* "it" is the singular thing mentioned last. Each thing has verbs of its own ("it beeped": the
  robot), parts of its own ("its wheels") and a gift of its own ("gave it oil").
* "they" is the plural noun mentioned last, with verbs and parts of its own.
* "she" and "he" are the woman and the man of the story, each with two habits ("Ada counted").

Sentences such as "Far away , something roared" use any thing's words, so that a word that was said
before is no sure sign of who the story is about: the noun is. Songs repeat a random tune, which
gives the model a reason to learn to copy.

Stories of the training set never hold certain pairs of nouns (`held_out`); test stories open with
such a pair. `tell(random.Random(0))` tells a training story, `tell(rng, test=True)` a test story.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

THINGS = {  # noun: (verbs, parts, gift)
    "robot": (("beeped", "hummed"), ("wheels", "battery"), "oil"),
    "dog": (("barked", "growled"), ("tail", "collar"), "bones"),
    "cat": (("meowed", "purred"), ("whiskers", "claws"), "milk"),
    "bird": (("chirped", "flew"), ("wings", "beak"), "seeds"),
    "horse": (("neighed", "galloped"), ("mane", "saddle"), "hay"),
    "cow": (("mooed", "grazed"), ("horns", "calf"), "grass"),
    "duck": (("quacked", "paddled"), ("feathers", "eggs"), "bread"),
    "frog": (("croaked", "hopped"), ("tongue", "pond"), "flies"),
    "mouse": (("squeaked", "nibbled"), ("ears", "nest"), "cheese"),
    "lion": (("roared", "prowled"), ("jaws", "den"), "meat"),
    "clock": (("ticked", "chimed"), ("face", "hands"), "springs"),
    "kettle": (("whistled", "boiled"), ("lid", "spout"), "water"),
    "boat": (("sailed", "rocked"), ("mast", "oars"), "paint"),
    "lamp": (("glowed", "flickered"), ("shade", "switch"), "bulbs"),
    "train": (("puffed", "rattled"), ("engine", "carriages"), "coal"),
    "drum": (("boomed", "thumped"), ("skin", "sticks"), "polish"),
    "bell": (("rang", "clanged"), ("rope", "tower"), "grease"),
    "kite": (("soared", "fluttered"), ("string", "ribbon"), "wind"),
    "tree": (("grew", "swayed"), ("branches", "roots"), "rain"),
    "snail": (("crawled", "slithered"), ("shell", "trail"), "lettuce"),
}
PLURALS = {  # noun: (verbs, parts)
    "orders": (("arrived", "changed"), ("words",)),
    "laws": (("applied", "lasted"), ("meaning",)),
    "rules": (("mattered", "worked"), ("purpose",)),
    "humans": (("talked", "argued"), ("houses",)),
    "stars": (("twinkled", "sparkled"), ("light",)),
    "bees": (("buzzed", "stung"), ("honey",)),
    "leaves": (("rustled", "fell"), ("colours",)),
    "waves": (("crashed", "splashed"), ("foam",)),
    "apples": (("ripened", "rotted"), ("juice",)),
    "coins": (("clinked", "jingled"), ("price",)),
    "clouds": (("drifted", "thundered"), ("shadows",)),
    "children": (("giggled", "played"), ("toys",)),
    "soldiers": (("marched", "saluted"), ("boots",)),
    "wolves": (("howled", "hunted"), ("teeth",)),
}
COMMANDS = ("orders", "laws", "rules")  # the plurals that a thing can obey
WOMEN = {  # name: habits
    "Ada": ("counted", "calculated"),
    "Mia": ("danced", "twirled"),
    "Anna": ("sewed", "knitted"),
    "Grace": ("typed", "programmed"),
    "Lily": ("sang", "yodelled"),
    "Nora": ("read", "wrote"),
}
MEN = {
    "Tom": ("cooked", "baked"),
    "Ben": ("dug", "planted"),
    "Alan": ("wondered", "guessed"),
    "Max": ("ran", "jumped"),
    "Leo": ("laughed", "joked"),
    "Sam": ("yawned", "slept"),
}
VERBS = {noun: verbs for noun, (verbs, *_) in (THINGS | PLURALS).items()} | WOMEN | MEN
PARTS = {noun: parts for noun, (_, parts, *_) in (THINGS | PLURALS).items()}
# fmt: off
NOTES = (
    "la", "mi", "so", "do", "re", "fa", "ti", "ba", "ka", "lo", "mu", "ni", "pa", "ru", "ta", "vo",
)
PLACES = (
    "garden", "river", "castle", "forest", "market", "hill", "lake", "school", "farm", "bridge",
)
# fmt: on
FREE = {  # slots that any of these words may fill
    "PLACE": PLACES,
    "NEAR": ("near", "behind", "beside", "by"),
    "DAY": ("day", "morning", "evening", "night"),
    "SAW": ("saw", "met", "found", "heard", "followed"),
    "HAD": ("had", "built", "bought", "found", "loved"),
    "SOON": ("Suddenly", "Soon", "Later", "Again", "Today"),
    "A_THINGS_VERB": tuple(verb for noun in THINGS for verb in VERBS[noun]),
    "A_THINGS_PART": tuple(part for noun in THINGS for part in PARTS[noun]),
    "A_PLURALS_VERB": tuple(verb for noun in PLURALS for verb in VERBS[noun]),
    "A_PERSONS_VERB": tuple(verb for name in WOMEN | MEN for verb in VERBS[name]),
}

# Templates. Words in capitals are slots: THING, PLURAL, WOMAN, MAN and PERSON say the noun that
# "it", "they", "she", "he" then stand for; VERB, PART and GIFT follow from the word before.
OPENINGS = (
    "A THING SAW some PLURAL NEAR the PLACE .",
    "Some PLURAL SAW a THING NEAR the PLACE .",
    "One DAY , a THING SAW some PLURAL .",
    "One DAY , some PLURAL SAW a THING .",
    "Once there was a THING and some PLURAL .",
    "Once there were some PLURAL and a THING .",
)
OPENINGS_WITH_A_PERSON = (
    "PERSON HAD a THING and some PLURAL .",
    "PERSON HAD some PLURAL and a THING .",
)
OBEYING = ("A THING must obey the PLURAL .", "A THING must obey the PLURAL given it by HUMANS .")
OBEYING_A_PERSON = ("A THING must obey the PLURAL given it by PERSON .",)
OBEYING_WEIGHT = 6  # against 1 for each other opening, or the robot sentence would be rare

SENTENCES = (  # (template, weight)
    ("It VERB .", 3),
    ("It VERB and OTHER_VERB .", 2),
    ("Then it VERB .", 2),
    ("SOON it VERB .", 2),
    ("They VERB .", 3),
    ("Then they VERB .", 2),
    ("SOON they VERB .", 2),
    ("When it VERB , they VERB .", 1),
    ("When they VERB , it VERB .", 1),
    ("The PLURAL VERB because it VERB .", 1),
    ("The THING VERB because they VERB .", 1),
    ("Its PART looked old .", 1),
    ("Its PART looked new .", 1),
    ("Nobody saw their PART .", 1),
    ("The THING VERB .", 1),
    ("The PLURAL VERB .", 1),
    ("Far away , something A_THINGS_VERB .", 2),
    ("Far away , others A_PLURALS_VERB .", 1),
    ("Nobody touched the A_THINGS_PART .", 1),
)
SENTENCES_WITH_A_PERSON = (
    ("PERSON gave it GIFT .", 3),
    ("PERSON watched while it VERB .", 1),
    ("PERSON watched while they VERB .", 1),
    ("PERSON liked its PART .", 2),
    ("PERSON liked their PART .", 2),
    ("Far away , somebody A_PERSONS_VERB .", 1),
)
SENTENCES_WITH_A_WOMAN = (
    ("She VERB .", 4),
    ("Then she VERB .", 2),
    ("SOON she VERB .", 2),
    ("She VERB because it VERB .", 1),
    ("WOMAN watched while it VERB .", 1),
)
SENTENCES_WITH_A_MAN = (
    ("He VERB .", 4),
    ("Then he VERB .", 2),
    ("SOON he VERB .", 2),
    ("He VERB because they VERB .", 1),
    ("MAN watched while they VERB .", 1),
)
SENTENCES_WITH_BOTH = (("She VERB and he VERB .", 2), ("He VERB and she VERB .", 2))
NEW_THING = ("Then a THING came .", "A THING came to the PLACE .")
NEW_PLURAL = ("Then some PLURAL came .", "Some PLURAL came to the PLACE .")

PRONOUNS = {
    "it": "THING",
    "its": "THING",
    "they": "PLURAL",
    "their": "PLURAL",
    "she": "WOMAN",
    "he": "MAN",
}
RIVALS = {"she": ("WOMAN", "MAN"), "he": ("WOMAN", "MAN")}  # whom else the verb could fit


def held_out(thing, plural):
    """Whether no training story may hold both nouns (about a tenth of all pairs)."""
    if plural == "humans":  # they give the orders in training stories, to any thing
        return False
    return (sum(map(ord, thing)) * 7 + sum(map(ord, plural)) * 13) % 10 == 3


PAIRS = {
    test: [(t, p) for t in THINGS for p in PLURALS if held_out(t, p) == test]
    for test in (False, True)
}


@dataclass
class Pronoun:
    """One pronoun of a story, and what it stands for. Places are character offsets."""

    kind: str  # it, its, gave it, they, their, she, he
    at: int  # where the pronoun starts
    noun: str
    noun_at: int  # where the noun's last mention starts
    expected: tuple  # the words that may follow
    rivals: dict  # other nouns of the story that the next word could fit, and where they start


@dataclass
class Story:
    """A story: its text, its pronouns, and the log-probability of the choices made (nats).

    Choices that lead to the same text are counted apart, so that minus the mean of
    `log_probability` is an upper bound of the language's entropy, close to it.
    """

    text: str = ""
    log_probability: float = 0.0
    pronouns: list = field(default_factory=list)


class Teller:
    """Tells one story, remembering who is in it."""

    def __init__(self, rng, test):
        self.rng, self.test, self.story = rng, test, Story()
        # The last of each is meant.
        self.named: dict[str, list[str]] = {"THING": [], "PLURAL": [], "WOMAN": [], "MAN": []}
        self.mentioned = {}  # noun: where it was mentioned last
        self.tune = None
        # The noun or pronoun said last: (pronoun or None, its place, noun).
        self.subject: tuple[str | None, int | None, str] | None = None

    def pick(self, options, weights=None):
        """One of the options, its probability counted."""
        options = list(options)
        weights = weights or [1] * len(options)
        i = self.rng.choices(range(len(options)), weights)[0]
        self.story.log_probability += math.log(weights[i] / sum(weights))
        return options[i]

    def put(self, word):
        """Write a word; returns where it starts."""
        if self.story.text and word not in ".,:":
            self.story.text += " "
        start = len(self.story.text)
        self.story.text += word
        return start

    def mention(self, slot, noun):
        group = self.named[slot]
        if noun in group:
            group.remove(noun)
        group.append(noun)
        self.mentioned[noun] = self.put(noun)
        self.subject = (None, None, noun)

    def follow(self, kind, words):
        """Write one of the words that fit the subject; note it if the subject is a pronoun."""
        assert self.subject, "a template begins with its subject"
        pronoun, at, noun = self.subject
        if pronoun and at is not None:
            rivals = {
                n: self.mentioned[n]
                for slot in RIVALS.get(pronoun, (PRONOUNS[pronoun],))
                for n in self.named[slot]
                if n != noun
            }
            self.story.pronouns.append(
                Pronoun(kind or pronoun, at, noun, self.mentioned[noun], tuple(words), rivals)
            )
        word = self.pick(words)
        self.put(word)
        return word

    def say(self, template):
        said = None
        for word in template.split():
            noun = self.subject[2] if self.subject else ""
            if word in self.named:
                self.mention(word, self.named[word][-1])
            elif word == "PERSON":
                slot = self.pick([s for s in ("WOMAN", "MAN") if self.named[s]])
                self.mention(slot, self.named[slot][-1])
            elif word == "HUMANS":
                self.mention("PLURAL", "humans")
            elif word.lower() in PRONOUNS:
                pronoun = word.lower()
                noun = self.named[PRONOUNS[pronoun]][-1]
                self.subject = (pronoun, self.put(word), noun)
            elif word == "VERB":
                said = self.follow(None, VERBS[noun])
            elif word == "OTHER_VERB":
                self.put(self.pick([v for v in VERBS[noun] if v != said]))
            elif word == "PART":
                self.follow(None, PARTS[noun])
            elif word == "GIFT":
                self.follow("gave it", (THINGS[noun][2],))
            elif word in FREE:
                self.put(self.pick(FREE[word]))
            else:
                self.put(word)

    def fits(self, thing, plural):
        return held_out(thing, plural) == self.test

    def open(self):
        thing, plural = self.pick(PAIRS[self.test])
        self.named["THING"], self.named["PLURAL"] = [thing], [plural]
        for slot, names in (("WOMAN", WOMEN), ("MAN", MEN)):
            if self.pick((True, False), (6, 4)):
                self.named[slot] = [self.pick(names)]
        woman, man = self.named["WOMAN"], self.named["MAN"]
        openings, weights = list(OPENINGS), [1] * len(OPENINGS)
        if woman or man:
            openings += OPENINGS_WITH_A_PERSON
            weights += [1] * len(OPENINGS_WITH_A_PERSON)
        if plural in COMMANDS:
            obeying = OBEYING + (OBEYING_A_PERSON if woman or man else ())
            openings += obeying
            weights += [OBEYING_WEIGHT] * len(obeying)
        self.say(self.pick(openings, weights))
        new = [
            slot
            for slot in ("WOMAN", "MAN")
            if self.named[slot] and self.named[slot][-1] not in self.mentioned
        ]
        if len(new) == 2:
            self.say(self.pick(("WOMAN and MAN were there .", "MAN and WOMAN were there .")))
        elif new:
            self.say(f"{new[0]} was there .")

    def sentence(self):
        woman, man = self.named["WOMAN"], self.named["MAN"]
        options: list[tuple[str | Callable[[], None], int]] = list(SENTENCES)
        if woman or man:
            options += SENTENCES_WITH_A_PERSON
        if woman:
            options += SENTENCES_WITH_A_WOMAN
        if man:
            options += SENTENCES_WITH_A_MAN
        if woman and man:
            options += SENTENCES_WITH_BOTH
        options.append((self.sing, 3))
        for slot, nouns in (("THING", THINGS), ("PLURAL", PLURALS)):
            if len(self.named[slot]) == 1:
                options.append((self.newcomer(slot, nouns), 5))
            else:
                options.append((self.comeback(slot), 4))
        chosen = self.pick([option for option, _ in options], [weight for _, weight in options])
        if callable(chosen):
            chosen()
        else:
            self.say(chosen)

    def newcomer(self, slot, nouns):
        def come():
            others = self.named["PLURAL" if slot == "THING" else "THING"]
            new = [
                noun
                for noun in nouns
                if noun not in self.named[slot]
                and all(self.fits(*((noun, o) if slot == "THING" else (o, noun))) for o in others)
            ]
            if new:
                self.named[slot].append(self.pick(new))
                self.say(self.pick(NEW_THING if slot == "THING" else NEW_PLURAL))
            else:
                self.say(f"The {slot} VERB .")

        return come

    def comeback(self, slot):
        def again():
            self.named[slot].append(self.named[slot].pop(0))
            self.say(f"The {slot} VERB again .")

        return again

    def sing(self):
        if self.tune and self.pick((True, False)):
            self.say(f"The song : {self.tune} .")
        else:
            self.tune = " ".join(self.pick(NOTES) for _ in range(self.pick(range(3, 8))))
            self.say(f"A song : {self.tune} . Again : {self.tune} .")


def tell(rng, test=False):
    """A story of five to eleven sentences.

    Parameters
    ----------
    rng : random.Random
        Makes every choice.
    test : bool
        Whether the story opens with a pair of nouns that no training story holds.

    Returns
    -------
    Story
    """
    teller = Teller(rng, test)
    teller.open()
    for _ in range(teller.pick(range(4, 10))):
        teller.sentence()
    return teller.story
