using SamCompress.IR;
using SamCompress.Passes.Conversion;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Conversion;

public sealed class StoreWeightsAsHalfTests
{
    [Fact]
    public void Weights_that_16_bits_hold_compute_the_same()
    {
        using Model before = Linear((i, _) => ((i % 17) - 8) * 0.25f), after = Linear((i, _) => ((i % 17) - 8) * 0.25f);
        Assert.Equal(1, new StoreWeightsAsHalf().Apply(after, PassCheck.Context()));
        NumericAssert.EqualBits(before, after);
        Snapshot.Match(ModelText.Print(after));
        Assert.Equal(0, new StoreWeightsAsHalf().Apply(after, PassCheck.Context()));
    }

    /// <summary>IEEE 754: 11 significant bits, ties to even; the least step is 2^-24.</summary>
    [Theory]
    [InlineData(1.00048828125f, 1f)] // 1 + 2^-11 lies between two: the even one
    [InlineData(1.00146484375f, 1.001953125f)] // 1 + 3 * 2^-11
    [InlineData(-2049f, -2048f)]
    [InlineData(65504f, 65504f)]
    [InlineData(5.9604645e-8f, 5.9604645e-8f)]
    [InlineData(1e-9f, 0f)]
    public void Weights_are_rounded_to_the_nearest(float weight, float expected)
    {
        using Model model = Linear((_, _) => weight), rounded = Linear((_, _) => expected);
        Assert.Equal(1, new StoreWeightsAsHalf().Apply(model, PassCheck.Context()));
        NumericAssert.EqualBits(rounded, model);
    }

    [Theory]
    [InlineData(65520f)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NaN)]
    public void Weights_that_16_bits_do_not_hold_stay(float weight)
    {
        using Model model = Linear((i, _) => i == 5 ? weight : 1);
        PassContext context = PassCheck.Context();
        Assert.Equal(0, new StoreWeightsAsHalf().Apply(model, context));
        Assert.Equal(["SC4301"], context.Diagnostics.Select(d => d.Id));
    }

    [Fact]
    public void Few_elements_other_types_and_inputs_of_callers_stay()
    {
        PassCheck.LeavesAlone("g (float[2] x) => (float[2] y) <float[2] b = {1, 2}> { y = Add (x, b) }", new StoreWeightsAsHalf());
        using Model model = Linear((_, _) => 1);
        Value weight = model.Graph.Initializers[0];
        model.Graph.AddOutput(weight);
        Assert.Equal(0, new StoreWeightsAsHalf().Apply(model, PassCheck.Context()));
    }

    [Fact]
    public void An_exporter_graph_loses_half_its_size_and_little_else()
    {
        using Model before = ExporterModels.Open("sam-nano/encoder"), after = ExporterModels.Open("sam-nano/encoder");
        new PassPipeline(StandardPipeline.Cleanup).Run(before, PassCheck.Context());
        new PassPipeline([.. StandardPipeline.Cleanup, new StoreWeightsAsHalf()]).Run(after, PassCheck.Context());
        Assert.InRange((double)OnnxWriter.Serialize(after).Length / OnnxWriter.Serialize(before).Length, 0.4, 0.6);

        // Each weight is off by 2^-11 of itself at most; errors of some hundred factors add up like a walk, through six blocks.
        NumericAssert.Close(before, after, 1e-2);
    }

    private static Model Linear(Func<int, int, float> weight)
    {
        Model model = ModelText.Parse("g (float[2,16] x, float[16,16] w) => (float[2,16] y) { y = MatMul (x, w) }");
        var elements = new float[256];
        for (int i = 0; i < elements.Length; i++)
            elements[i] = weight(i / 16, i % 16);
        Value input = model.Graph.Inputs[1], initializer = model.Graph.AddInitializer(model.Graph.FreshName("weight"), Tensor.Of(elements, 16, 16));
        input.ReplaceUsesWith(initializer);
        model.Graph.RemoveInput(1);
        return model;
    }
}
