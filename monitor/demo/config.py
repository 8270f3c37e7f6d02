"""The settings of the town: its sources, what is watched, and what its team promised."""

from __future__ import annotations

X_QUERY = (
    "(zonnekade OR glimworm OR glimwormpjes OR kolenboer OR luilak OR vlonder OR loungeset OR rooster OR tuinhof "
    "OR pakketeer OR @dekoopklok OR @pjalkema OR @havenkwartier_nu OR from:zonnekade OR from:werkenbijzonnekade "
    "OR from:tuinmanteun OR from:dekoopklok) -is:retweet"
)
"""What is asked of X: the brand, its products, its neighbours on the market, and the accounts that matter."""
