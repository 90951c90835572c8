"""Expressions of every shape that both we and the reference runner have, made at random.

What the runner gets wrong is left out where it would be made, and told in docs/explanation/flow-oracle.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

PLAIN_WORDS = ("river", "Mango", "blue sky", "7 apples", "x")
WORDS = (*PLAIN_WORDS, "ñandú", "état", "नमस्ते")
TEXT_COLUMNS = ("name", "city", "plan")
NUMBER_COLUMNS = ("age", "balance")
DEPTH = 3


@dataclass(frozen=True)
class Known:
    """Blocks that were left for certain before an expression is asked for, by the types of their values."""

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    truths: tuple[str, ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Each with what can stand in it."""

    def __add__(self, other: "Known") -> "Known":
        return Known(
            self.texts + other.texts,
            self.numbers + other.numbers,
            self.truths + other.truths,
            self.lists + other.lists,
        )


@dataclass
class Expressions:
    """Makes expressions from what is known."""

    random: Random
    known: Known = field(default_factory=Known)

    # -- alone: what stands between `@(` and `)` ---------------------------------------------------------------------

    def text(self) -> str:
        """Make one that is a text."""
        return self._joined(DEPTH) if self.random.random() < 0.3 else f'CONCATENATE({self._text(DEPTH)}, "")'

    def number(self) -> str:
        """Make one that is a whole number."""
        return self._sum(DEPTH) if self.random.random() < 0.5 else f"SUM({self._number(DEPTH)})"

    def small_number(self) -> str:
        """Make a number that stays small where it is kept and asked for again."""
        return f"MAX(MIN({self._number(DEPTH)}, 500), 0 - 500)"

    def truth(self, depth: int = DEPTH) -> str:
        """Make one that is true or false."""
        r = self.random
        kinds = ["number", "number", "text", "text", "in"]
        kinds += ["list"] * 2 * bool(self.known.lists) + ["result"] * bool(self.known.truths)
        kinds += ["all", "all"] * bool(depth)
        deeper = max(depth - 1, 0)
        match r.choice(kinds):
            case "number":
                return f"{self._term(deeper)} {r.choice(['<', '<=', '>', '>=', '=', '!=', '<>'])} {self._term(deeper)}"
            case "text":
                return f"{self._lower(deeper)} {r.choice(['=', '!='])} {self._lower(deeper)}"
            case "in":
                return f"IN({self._lower(deeper)}, ARRAY({self._several(self._lower, deeper)}))"
            case "list":
                name, among = r.choice(self.known.lists)
                return f'IN("{r.choice(among)}", flow.{name}.value)'
            case "result":
                return f"flow.{r.choice(self.known.truths)}.value = {r.choice(['TRUE', 'FALSE'])}"
        return f"{r.choice(['AND', 'OR'])}({self._several(self.truth, deeper)})"

    def prose(self) -> str:
        """Make a text to be said, with expressions in it."""
        r = self.random
        parts = []
        for _ in range(r.randint(1, 4)):
            parts.append(r.choice([*WORDS, "a@@b", "20 %", "What now?", "line\nbreak"]))
            kind = r.randrange(6)
            if kind == 0:
                parts.append(f"@contact.{r.choice(TEXT_COLUMNS + NUMBER_COLUMNS)}{r.choice(['.', ',', '!', ''])}")
            elif kind == 1:
                parts.append(f"@({r.choice([self.text, self.number, self.truth])()})")
            elif kind == 2 and self.known.texts + self.known.numbers:
                parts.append(f"@flow.{r.choice(self.known.texts + self.known.numbers)}.value")
            elif kind == 3:
                parts.append(f"@UPPER(contact.{r.choice(TEXT_COLUMNS)})")
        return " ".join(parts)

    # -- in others ---------------------------------------------------------------------------------------------------

    def _text(self, depth: int) -> str:  # noqa: PLR0911 (a return for each kind)
        r = self.random
        kinds = ["literal", "column", "column"] + ["result"] * 3 * bool(self.known.texts)
        match r.choice(kinds + ["call", "part", "joined", "proper", "if"] * bool(depth)):
            case "literal":
                return f'"{r.choice(WORDS)}"'
            case "column":
                return f"contact.{r.choice(TEXT_COLUMNS)}"
            case "result":
                return f"flow.{r.choice(self.known.texts)}.value"
            case "call":
                return f"{r.choice(['UPPER', 'LOWER'])}({self._argument(depth - 1)})"
            case "part":
                return f"{r.choice(['LEFT', 'RIGHT'])}({self._argument(depth - 1)}, {r.randint(1, 4)})"
            case "joined":
                return f"CONCATENATE({self._several(self._argument, depth - 1)})"
            case "proper":
                # Of ASCII alone: the runner sees no other letters.
                return f'PROPER("{r.choice(PLAIN_WORDS)}")'
        return f"IF({self.truth(depth - 1)}, {self._argument(depth - 1)}, {self._argument(depth - 1)})"

    def _lower(self, depth: int) -> str:
        """Make a text that is compared: of one case, since the runner tells cases apart."""
        return f"LOWER({self._text(depth)})"

    def _argument(self, depth: int) -> str:
        """Make a text that is an argument: only there, and alone, `&` is read."""
        return self._joined(depth) if depth and self.random.random() < 0.2 else self._text(depth)

    def _joined(self, depth: int) -> str:
        return " & ".join(self._text(max(depth - 1, 0)) for _ in range(self.random.randint(2, 3)))

    def _number(self, depth: int) -> str:  # noqa: PLR0911 (a return for each kind)
        r = self.random
        kinds = ["literal", "column"] + ["result"] * 3 * bool(self.known.numbers) + ["count"] * bool(self.known.lists)
        match r.choice(kinds + ["length", "call", "if"] * bool(depth)):
            case "literal":
                return str(r.randint(0, 20))
            case "column":
                return f"contact.{r.choice(NUMBER_COLUMNS)}"
            case "result":
                return f"flow.{r.choice(self.known.numbers)}.value"
            case "count":
                return f"COUNT(flow.{r.choice(self.known.lists)[0]}.value)"
            case "length":
                return f"LEN({self._argument(depth - 1)})"
            case "call":
                function = r.choice(["MAX", "MIN", "SUM", "ABS"])
                if function == "ABS":
                    return f"ABS({self._addend(depth - 1)})"
                return f"{function}({self._several(self._addend, depth - 1)})"
        return f"IF({self.truth(depth - 1)}, {self._addend(depth - 1)}, {self._addend(depth - 1)})"

    def _addend(self, depth: int) -> str:
        return self._sum(depth) if depth and self.random.random() < 0.3 else self._number(depth)

    def _sum(self, depth: int) -> str:
        """Make a sum of two, each in parentheses where it is a sum: the runner reads `10 - 2 - 3` as 10 - (2 - 3)."""
        # Products are small: the runner's numbers are exact up to 2**53.
        r = self.random
        if r.random() < 0.3:
            return f"{self._factor(depth - 1)} * {r.randint(0, 9)}"
        return f"{self._factor(depth - 1)} {r.choice('+-')} {self._factor(depth - 1)}"

    def _factor(self, depth: int) -> str:
        return f"({self._sum(depth)})" if depth > 0 and self.random.random() < 0.3 else self._number(max(depth, 0))

    def _term(self, depth: int) -> str:
        """Make a number that is compared: the runner reads no parenthesis at the beginning of a comparison."""
        if depth and self.random.random() < 0.2:
            return f"{self._number(depth - 1)} {self.random.choice('+-')} {self._factor(depth - 1)}"
        return self._number(depth)

    def _several(self, make: Callable[[int], str], depth: int) -> str:
        return ", ".join(make(depth) for _ in range(self.random.randint(1, 3)))
