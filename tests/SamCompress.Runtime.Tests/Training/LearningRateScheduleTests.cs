using SamCompress.Runtime.Training;

namespace SamCompress.Runtime.Tests.Training;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void A_constant_rate_stays() => Assert.Equal(0.1, new ConstantRate(0.1).At(1_000_000, []));

    [Theory]
    [InlineData(0, 0.25)]
    [InlineData(3, 1)]
    [InlineData(4, 1)]
    [InlineData(8, 0.55)] // half of the cosine: the mean of 1 and 0.1
    [InlineData(12, 0.1)]
    [InlineData(100, 0.1)]
    public void A_cosine_rises_and_falls(long update, double rate) => Assert.Equal(rate, new CosineRate(1, 12, WarmUp: 4, Final: 0.1).At(update, []), 1e-12);

    [Theory]
    [InlineData("1 2 3 4 5 6", 1)]
    [InlineData("5 4 4 4", 1)] // three stalled: patience
    [InlineData("5 4 4 4 4", 0.5)]
    [InlineData("5 5 5 5 5", 0.5)] // no better is no new best
    [InlineData("5 4 4 4 6 4 4 4", 1)]
    [InlineData("5 4 4 4 4 4 4 4", 0.5)] // the count starts again behind a halving
    [InlineData("5 4 4 4 4 4 4 4 4", 0.25)]
    public void A_plateau_halves(string scores, double rate)
    {
        Validation[] validations = [.. scores.Split(' ').Select((s, i) => new Validation(i, int.Parse(s)))];
        Assert.Equal(rate, new PlateauRate(1, Patience: 3).At(0, validations));
    }
}
