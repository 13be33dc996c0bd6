using SamCompress.Cli.Jobs;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Tests.Jobs;

public sealed class MixtureSearchTests
{
    /// <summary>Losses add up: all together 0.1 is lost.</summary>
    private static readonly MeasuredLayer[] Layers =
    [
        Layer("a", loss: 0.05, macs: 1000),
        Layer("b", loss: 0.02, macs: 100),
        Layer("c", loss: 0.02, macs: 400),
        Layer("d", loss: 0.01, macs: 10),
        Layer("e", loss: 0, macs: 500),
    ];

    [Fact]
    public void Layers_are_given_up_by_loss_for_each_operation_or_by_loss()
    {
        var search = new MixtureSearch(Layers, Additive);

        Assert.Equal(["d", "b", "a", "c", "e"], search.Orders[0].Select(l => l.Name));
        Assert.Equal(["a", "b", "c", "d", "e"], search.Orders[1].Select(l => l.Name));
    }

    /// <summary>0.02 must be won: d alone gives 0.01, d and b 0.03 for 110 operations, a 0.05 for 1000. b is enough without d.</summary>
    [Theory]
    [InlineData(0.92, "b")]
    [InlineData(0.93, "d b")]
    [InlineData(0.95, "a")]
    [InlineData(0.98, "d b a")]
    [InlineData(0.99, "a b c")]
    [InlineData(1.0, "d b a c")]
    public void The_cheapest_mixture_that_reaches_the_score_is_found(double wanted, string expected)
    {
        (IReadOnlyList<MeasuredLayer> isFloat, double score) = new MixtureSearch(Layers, Additive).Run(wanted, 10, (_, _) => { })!.Value;

        Assert.Equal(expected, string.Join(' ', isFloat.Select(l => l.Name)));
        Assert.True(score >= wanted);
        Assert.Equal(Additive(isFloat), score);
    }

    [Fact]
    public void Without_trials_what_bisection_finds_stays()
    {
        (IReadOnlyList<MeasuredLayer> isFloat, _) = new MixtureSearch(Layers, Additive).Run(0.92, 0, (_, _) => { })!.Value;

        Assert.Equal(["d", "b"], isFloat.Select(l => l.Name));
    }

    [Fact]
    public void A_score_that_only_the_float_model_reaches_is_no_mixture() => Assert.Null(new MixtureSearch(Layers, _ => 0.99).Run(0.995, 10, (_, _) => { }));

    [Fact]
    public void One_layer_cannot_be_mixed() => Assert.Null(new MixtureSearch([Layers[0]], Additive).Run(0.99, 10, (_, _) => { }));

    [Fact]
    public void No_mixture_is_judged_twice()
    {
        var asked = new List<string>();
        var search = new MixtureSearch(Layers, isFloat =>
        {
            asked.Add(string.Join(' ', isFloat.Select(l => l.Name).Order(StringComparer.Ordinal)));
            return Additive(isFloat);
        });
        search.Run(0.98, 10, (done, total) => Assert.InRange(done, 1, total));

        Assert.Equal(asked.Distinct(), asked);
        Assert.Equal(asked.Count, search.Evaluations);
    }

    private static double Additive(IReadOnlyList<MeasuredLayer> isFloat) => Math.Round(0.9 + isFloat.Sum(l => l.IouLoss!.Value), 9);

    private static MeasuredLayer Layer(string name, double loss, long macs) => new(name, name, LayerKind.Linear, 1 - loss, 30, 1, macs);
}
