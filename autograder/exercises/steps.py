"""The steps of each exercise, and how each of them goes wrong: all pairs are made from them.

A learner often makes two mistakes at once. They are not listed but put together here: `build` makes
an implementation from one choice for each step, the right one or a wrong one. `make build` runs all
implementations with one or two wrong steps and keeps a fingerprint of what they return, so that
`check` can tell both. A way that hangs on a number's last digit (rounding, the largest of equal
ones) is left out where it would come out differently on another processor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, product


@dataclass(frozen=True)
class Wrong:
    """One way to do a step wrongly: its id, what to tell, and what is done."""

    id: str
    sentence: str
    way: object


@dataclass(frozen=True)
class Steps:
    """`build(**ways)` makes an implementation. `right` and `wrong` have one entry a step."""

    build: Callable[..., Callable]
    right: dict[str, object]
    wrong: dict[str, tuple[Wrong, ...]]

    def built(self, **ways: object) -> Callable:
        """Make an implementation with these ways to do a step, and the right ones for the rest."""
        return self.build(**{**self.right, **ways})

    def variants(self) -> Iterator[tuple[tuple[Wrong, ...], Callable]]:
        """Every implementation with one or two wrong steps."""
        for names in (*combinations(self.wrong, 1), *combinations(self.wrong, 2)):
            for wrong in product(*(self.wrong[name] for name in names)):
                ways = {name: w.way for name, w in zip(names, wrong, strict=True)}
                yield wrong, self.built(**ways)
