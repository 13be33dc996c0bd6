namespace SamCompress.Runtime.Training;

/// <summary>A validation during training.</summary>
/// <param name="Update">The number of updates before it.</param>
/// <param name="Score">Higher is better.</param>
public sealed record Validation(long Update, double Score);

/// <summary>The learning rate as a function of what was done so far. It keeps nothing, so that a run that goes on has the rates of one that was not interrupted.</summary>
public abstract record LearningRateSchedule
{
    /// <param name="update">The number of updates before this one.</param>
    /// <param name="validations">In the order they were made.</param>
    public abstract double At(long update, IReadOnlyList<Validation> validations);
}

/// <summary>Always the same.</summary>
public sealed record ConstantRate(double Rate) : LearningRateSchedule
{
    public override double At(long update, IReadOnlyList<Validation> validations) => Rate;
}

/// <summary>Rises in equal steps to <paramref name="Rate"/>, which the last update of the warm-up has, and falls along half a cosine to <paramref name="Final"/>.</summary>
/// <param name="Updates">Those of the warm-up included; behind them the rate stays.</param>
public sealed record CosineRate(double Rate, long Updates, long WarmUp = 0, double Final = 0) : LearningRateSchedule
{
    public override double At(long update, IReadOnlyList<Validation> validations) => update < WarmUp
        ? Rate * (update + 1) / WarmUp
        : Final + ((Rate - Final) / 2 * (1 + Math.Cos(Math.PI * Math.Min(1, (update - WarmUp) / (double)Math.Max(1, Updates - WarmUp)))));
}

/// <summary>Falls by a factor when more than <paramref name="Patience"/> validations in a row gave no new best score: torch's ReduceLROnPlateau with threshold 0.</summary>
public sealed record PlateauRate(double Rate, int Patience, double Factor = 0.5) : LearningRateSchedule
{
    public override double At(long update, IReadOnlyList<Validation> validations)
    {
        ArgumentNullException.ThrowIfNull(validations);
        double rate = Rate, best = double.NegativeInfinity;
        int stalled = 0;
        foreach (Validation validation in validations)
        {
            stalled = validation.Score > best ? 0 : stalled + 1;
            best = Math.Max(best, validation.Score);
            if (stalled <= Patience)
                continue;
            rate *= Factor;
            stalled = 0;
        }

        return rate;
    }
}
