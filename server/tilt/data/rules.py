"""What a universe is made by: a list or a rule, its schedule and its weighting."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tilt.errors import ArgumentError, did_you_mean
from tilt.frames import content_id

Names = Annotated[tuple[str, ...], Field(max_length=20_000)]
Fraction = Annotated[float, Field(gt=0, le=1)]
LONGEST_NAME = 200


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Rule(_Part):
    """Who belongs to a universe, out of its parent's members, and how they are weighted.

    Everything that is given must hold. At a review only what was known at the close before it
    counts; between reviews nobody comes in, and whoever leaves the parent goes at once.
    """

    tickers: Names = Field(default=(), description="Only these; empty: any.")
    exclude: Names = Field(default=(), description="Never these.")
    sector: Names = Field(default=(), description="Of one of these sectors.")
    industry: Names = Field(default=(), description="Of one of these industries.")
    country: Names = Field(default=(), description="Of one of these countries.")
    min_price: float | None = Field(default=None, ge=0, description="Least close.")
    min_adv: float | None = Field(
        default=None, ge=0, description="Least money traded a day, on average over adv_days."
    )
    adv_days: int = Field(default=20, ge=1, le=1000, description="Sessions of that average.")
    min_history: int | None = Field(default=None, ge=1, description="Least sessions with a price.")
    top: int | None = Field(default=None, ge=1, description="The largest by market cap, so many.")
    buffer: float = Field(
        default=0.0, ge=0, lt=1,
        description="With top: a member stays to rank top x (1 + buffer), and who is not enters "
        "for certain from rank top x (1 - buffer).",
    )  # fmt: skip
    rebalance: Literal["M", "Q", "Y"] = Field(
        default="Q", description="Reviewed on the first session of each month, quarter or year."
    )
    weighting: Literal["cap", "float", "equal"] = Field(
        default="cap", description="By market cap, by its free float, or equal, at each review."
    )
    cap: Fraction | None = Field(default=None, description="Largest weight at a review.")

    @model_validator(mode="after")
    def _fit_together(self) -> "Rule":
        if self.buffer and self.top is None:
            raise ValueError("buffer needs top: it says how far beyond top a member may fall")
        both = sorted(set(self.tickers) & set(self.exclude))
        if both:
            raise ValueError(f"{both[0]} is in tickers and in exclude; keep one")
        return self

    @property
    def id(self) -> str:
        """Eight signs that are the same for the same rule."""
        return content_id(self.model_dump(mode="json"))[:8]

    def words(self) -> str:
        """Return the rule in a sentence."""
        parts = [
            f"{len(self.tickers)} named" if self.tickers else "",
            f"the {self.top} largest" if self.top else "",
            *(f"of {', '.join(names)}" for names in (self.sector, self.industry, self.country)
              if names),
            f"close from {self.min_price:g}" if self.min_price else "",
            f"traded a day from {self.min_adv:,.0f}" if self.min_adv else "",
            f"from {self.min_history} sessions of history" if self.min_history else "",
            f"without {len(self.exclude)} excluded" if self.exclude else "",
        ]  # fmt: skip
        how = {"cap": "by market cap", "float": "by free float", "equal": "equally"}[self.weighting]
        capped = f", at most {self.cap:.3g} each" if self.cap else ""
        when = {"M": "monthly", "Q": "quarterly", "Y": "yearly"}[self.rebalance]
        said = "; ".join(p for p in parts if p) or "all members"
        return f"{said}; weighted {how}{capped}; reviewed {when}"


class Universe(_Part):
    """A universe that is made out of another one by a rule."""

    name: str
    parent: str
    description: str = ""
    rule: Rule = Rule()

    @property
    def kind(self) -> str:
        """``list`` where names are listed, else ``rule``."""
        return "list" if self.rule.tickers else "rule"


def read_rule(given: object) -> Rule:
    """Return the rule that a mapping states.

    Raises
    ------
    ArgumentError
        If a key is not known (with the nearest one) or a value is not what it must be.
    """
    try:
        return Rule.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ArgumentError(
                f"A universe's rule has no '{where}'.{did_you_mean(where, Rule.model_fields)} "
                f"It knows {', '.join(Rule.model_fields)}."
            ) from None
        words = str(first["msg"]).removeprefix("Value error, ")
        raise ArgumentError(f"{where or 'rule'}: {words}.") from None
