using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class LayerReversalTests
{
    /// <summary>Two convolutions in a row and a Linear beside them: the first one's output is the second one's input.</summary>
    private static readonly QuantizationPlan Plan = new()
    {
        Target = "test",
        Activations = [Activation("a", atProducer: false), Activation("b", atProducer: true), Activation("c", atProducer: true)],
        Layers =
        [
            Layer("first", LayerKind.Conv, "a", "b"),
            Layer("second", LayerKind.Conv, "b", "c"),
            Layer("linear", LayerKind.Linear, "a", "d"),
            Layer("float", LayerKind.Linear, "d", "e") with { Execution = LayerExecution.Float, Why = "excluded" },
        ],
        Diagnostics = [],
    };

    [Fact]
    public void A_reverted_layer_is_float_and_says_why()
    {
        QuantizationPlan reverted = Plan.Revert(l => l.Name == "linear" ? "too sensitive" : null);

        Assert.Equal([LayerExecution.Integer, LayerExecution.Integer, LayerExecution.Float, LayerExecution.Float], reverted.Layers.Select(l => l.Execution));
        Assert.Equal("too sensitive", reverted.Layers[2].Why);
        Assert.Equal(Plan.Activations, reverted.Activations);
    }

    [Fact]
    public void A_layer_that_was_float_before_keeps_its_reason() => Assert.Equal("excluded", Plan.Revert(_ => "all").Layers[3].Why);

    [Fact]
    public void An_output_that_another_layer_reads_stays_quantized_for_that_layer_only()
    {
        QuantizationPlan reverted = Plan.Revert(l => l.Name == "first" ? "" : null);

        Assert.Equal([("a", false), ("b", false), ("c", true)], reverted.Activations.Select(a => (a.Value, a.AtProducer)));
    }

    [Fact]
    public void Activations_that_nobody_needs_go_with_their_layer()
    {
        QuantizationPlan reverted = Plan.Revert(l => l.Name == "linear" ? null : "");

        Assert.Equal([("a", false)], reverted.Activations.Select(a => (a.Value, a.AtProducer)));
    }

    [Fact]
    public void Nothing_is_left_of_a_plan_without_layers()
    {
        QuantizationPlan reverted = Plan.Revert(_ => "");

        Assert.True(reverted.IsEmpty);
        Assert.Empty(reverted.Activations);
    }

    private static ActivationPlan Activation(string value, bool atProducer) => new(value, ElementType.UInt8, new QuantizationGrid(1, 0, 0, 255), atProducer, "");

    private static LayerPlan Layer(string name, LayerKind kind, string input, string output) =>
        new() { Name = name, NodeOutput = output, Kind = kind, Execution = LayerExecution.Integer, Why = "", Input = input, WeightName = name + ".weight" };
}
