"""What the metrics of reports mean, in a few words, and which of them are better low."""

from __future__ import annotations

#: Metric -> its meaning.
MEANINGS: dict[str, str] = {
    "auroc": "chance that a positive row is ranked above a negative one",
    "average_precision": "mean precision over all positives",
    "brier": "mean squared error of the probability",
    "calibration_error": "mean gap between predicted and observed share",
    "c_index": "share of pairs in which who had the event first has the higher risk",
    "c_index_uno": "the same, whatever the censoring",
    "integrated_brier": "mean squared error of the survival curve, weighted for censoring",
    "survival_calibration_error": "mean gap between predicted and observed survival",
    "accuracy": "share of rows whose likelier class is the true one",
    "dice": "marked pixels that are right, doubled, over those marked and those that should be",
    "iou": "marked pixels that are right, over those marked or that should be",
    "dice_by_image": "the same as dice, as a mean over the images with a region",
    "detection_rate": "share of the images with a region that are flagged",
    "false_alarm_rate": "share of the images without a region that are flagged",
    "balanced_accuracy": "mean over the classes of the share that is found",
    "macro_f1": "mean over the classes of the balance of precision and recall",
    "expected_cost": "money units per row at the threshold",
    "annual_return": "net of costs, compounded",
    "annual_volatility": "standard deviation of returns, a year",
    "sharpe": "mean over standard deviation of returns, a year",
    "deflated_sharpe": "probability that the Sharpe ratio is more than luck of many trials",
    "max_drawdown": "largest loss from a peak",
    "hit_rate": "share of days with a gain",
    "turnover": "bought and sold in a year, as multiples of the equity",
    "capacity": "equity at which trades are too large for the market",
    "information_coefficient": "mean daily correlation of forecast and later return",
    "rank_ic": "the same of ranks",
    "ndcg_at_10": "gain of ten recommended items, less by their place, over the best possible",
    "recall_at_20": "share of the items taken that are among twenty recommended",
    "map": "mean average precision of ten recommended items",
    "coverage": "share of all items that anybody is recommended",
    "novelty": "of items: their information in bits; of molecules: share not seen in training",
    "popularity_bias": "popularity of recommended items over that of items taken",
    "rmse": "root of the mean squared error, in units",
    "nll": "mean negative log-likelihood of a molecule, in nats",
    "validity": "share of written molecules that parse",
    "uniqueness": "share of the valid ones that are different",
    "internal_diversity": "1 less the mean similarity of two of them",
    "qed": "mean quantitative estimate of drug-likeness",
    "r2": "share of the variance that is explained",
    "mase": "mean absolute error over that of the seasonal naive forecast in the history",
    "mae": "mean absolute error, in units",
    "pinball": "mean loss of the quantiles, in units",
    "smape": "symmetric mean absolute percentage error",
    "bias": "forecast over outcome in total, less 1",
    "coverage_80": "share of outcomes between the quantiles .1 and .9",
}

LOWER_IS_BETTER = frozenset(
    {
        "brier",
        "calibration_error",
        "integrated_brier",
        "survival_calibration_error",
        "expected_cost",
        "annual_volatility",
        "max_drawdown",
        "turnover",
        "mase",
        "mae",
        "rmse",
        "nll",
        "pinball",
        "smape",
        "popularity_bias",
        "false_alarm_rate",
    }
)

#: Metrics that should be near a value, not high or low: nobody is best in them.
NO_DIRECTION = frozenset({"bias", *(f"coverage_{percent}" for percent in range(1, 100))})
