using SamCompress.Runtime.Evaluation;

namespace SamCompress.Runtime.Tests.Evaluation;

public sealed class EvaluationMetricsTests
{
    [Fact]
    public void Measures_the_cosine()
    {
        Assert.Equal(1, EvaluationMetrics.Cosine([1, 2, 3], [2, 4, 6]), 12);
        Assert.Equal(-1, EvaluationMetrics.Cosine([1, 0], [-3, 0]), 12);
        Assert.Equal(0.8, EvaluationMetrics.Cosine([3, 4], [4, 0]) + 0.2, 12);
        Assert.Equal(0, EvaluationMetrics.Cosine([0, 0], [1, 0]));
        Assert.Equal(1, EvaluationMetrics.Cosine([0, 0], [0, 0]));
    }

    /// <summary>Signal 9 + 16 = 25, noise 0.25: 10 log10(100).</summary>
    [Fact]
    public void Measures_signal_to_noise()
    {
        (double signal, double noise) = EvaluationMetrics.Powers([3, 4], [3, 4.5f]);
        Assert.Equal((25, 0.25), (signal, noise));
        Assert.Equal(20, EvaluationMetrics.Sqnr(signal, noise)!.Value, 12);
        Assert.Null(EvaluationMetrics.Sqnr(signal, 0));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(5, 1.2)]
    [InlineData(50, 3)]
    [InlineData(100, 5)]
    public void Interpolates_percentiles(double percent, double expected) => Assert.Equal(expected, EvaluationMetrics.Percentile([5, 1, 4, 2, 3], percent), 12);

    [Fact]
    public void Refuses_what_cannot_be_compared()
    {
        Assert.Throws<ArgumentException>(() => EvaluationMetrics.Cosine([1], [1, 2]));
        Assert.Throws<ArgumentException>(() => EvaluationMetrics.Powers([1], [1, 2]));
        Assert.Throws<ArgumentException>(() => EvaluationMetrics.Percentile([], 5));
    }
}
