"""The labels, in the model's order. docs/labels.md says what each means."""

SENTIMENTS = ("negative", "neutral", "positive", "mixed")
INTENTS = (
    "complaint",
    "question",
    "compliment",
    "buying_signal",
    "idea",
    "churn_risk",
    "crisis",
    "thanks",
    "promotion",
)
STAGES = ("presales", "aftersales", "none")
REPLIES = ("yes", "optional", "no")
THEMES = ("delivery", "product", "price", "payment", "returns", "service", "stock", "site", "store", "terms", "company")

GROUPS = {"sentiment": SENTIMENTS, "stage": STAGES, "needs_reply": REPLIES}  # exactly one of each
MANY = {"intent": INTENTS, "theme": THEMES}  # any number, also none
LABELS = tuple(f"{kind}:{label}" for kind, group in {**GROUPS, **MANY}.items() for label in group)
SILENT = frozenset({"sentiment:neutral", "stage:none", "needs_reply:no", "urgency:normal"})  # set where nothing speaks
