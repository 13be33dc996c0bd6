using System.Runtime.InteropServices;
using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Differentiation;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests.Differentiation;

/// <summary>Every exporter graph can be differentiated. Only built: what the gradients are is for the other tests.</summary>
public sealed class ExporterGradientTests(ITestOutputHelper output)
{
    /// <param name="name">Of the model.</param>
    /// <param name="without">What is only compared.</param>
    [Theory]
    [InlineData("efficientsam_ti_encoder", "")]
    [InlineData("efficientvit_sam_l0_encoder", "")]
    [InlineData("mobilesam_encoder", "")]
    [InlineData("sam_b_encoder", "")]
    [InlineData("sam_b_encoder_dynamo", "")]
    [InlineData("sam_h_encoder", "")]
    [InlineData("sam_decoder", "point_labels")]
    [InlineData("sam-nano/encoder", "")]
    [InlineData("sam-nano/decoder", "point_labels")]
    public void Every_weight_and_every_input_has_a_gradient(string name, string without)
    {
        using Model model = ExporterGraphs.Open(name);
        Value loss = ExporterGraphs.AddLoss(model, o => Tensor.Lazy(ElementType.Float, o.Shape!.ToStatic()!, bytes => MemoryMarshal.Cast<byte, float>(bytes).Fill(1)));
        Value[] wanted = [.. ExporterGraphs.Weights(model).Where(w => !w.Name.StartsWith("loss", StringComparison.Ordinal)), .. model.Graph.Inputs];
        int before = model.Graph.Nodes.Count;
        IReadOnlyDictionary<Value, Value> gradients = Differentiator.Differentiate(model, loss, wanted);
        string[] missing = [.. wanted.Where(w => !gradients.ContainsKey(w)).Select(w => w.Name)];
        output.WriteLine($"{before} nodes and {model.Graph.Nodes.Count - before} of the gradients of {gradients.Count} values; without one: {string.Join(", ", missing)}");
        foreach ((Value value, Value gradient) in gradients)
            Assert.Equal((value.ElementType, value.Shape), (gradient.ElementType, gradient.Shape));
        Assert.Equal(without, string.Join(" ", missing));
        Assert.DoesNotContain(GraphChecker.Check(model), d => d.Severity == Severity.Error);
    }
}
