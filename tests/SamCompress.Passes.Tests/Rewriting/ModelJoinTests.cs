using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Rewriting;

public sealed class ModelJoinTests
{
    private const string First = "first (float[2,3] x) => (float[2,3] y) <float[3] w = {1, 2, 3}> { y = Mul(x, w) }";
    private const string Second = "second (float[2,3] y, float[2,3] z) => (float[2,3] x) <float[3] w = {10, 20, 30}> { t = Add(y, w) x = Sub(t, z) }";

    [Fact]
    public void Computes_one_model_behind_the_other_under_fresh_names()
    {
        using Model model = ModelText.Parse(First, 17);
        using Model second = ModelText.Parse(Second, 17);
        Value y = model.Graph.Outputs[0];
        IReadOnlyDictionary<string, Value> values = ModelJoin.Append(model, second, new Dictionary<string, Value> { ["y"] = y });
        model.Graph.AddOutput(values["x"]);
        Assert.DoesNotContain(GraphChecker.Check(model), d => d.Severity == Severity.Error);
        Assert.Equal(["x", "z"], model.Graph.Inputs.Select(i => i.Name));
        Assert.NotEqual("x", values["x"].Name);
        using OnnxSession session = OnnxSession.Open(model);
        using RuntimeTensor x = RuntimeTensor.Of([1f, 1, 1, 2, 2, 2], 2, 3), z = RuntimeTensor.Of([0f, 0, 0, 5, 5, 5], 2, 3);
        using RuntimeTensors results = session.Run(new Dictionary<string, RuntimeTensor> { ["x"] = x, ["z"] = z });
        Assert.Equal([1f, 2, 3, 2, 4, 6], results["y"].ToArray<float>());

        // y + w - z with the second model's own w.
        Assert.Equal([11f, 22, 33, 7, 19, 31], results[values["x"].Name].ToArray<float>());
    }

    [Fact]
    public void Refuses_another_version_of_the_operators()
    {
        using Model model = ModelText.Parse(First, 17);
        using Model second = ModelText.Parse(Second, 18);
        SamCompressException e = Assert.Throws<SamCompressException>(() => ModelJoin.Append(model, second, new Dictionary<string, Value>()));
        Assert.Equal("the model cannot be put behind another one: it imports version 18 of the operators 'ai.onnx', the other model 17", e.Message);
    }

    [Fact]
    public void Refuses_subgraphs()
    {
        using Model model = ModelText.Parse(First, 17);
        using Model second = ModelText.Parse("second (bool c, float[1] a) => (float[1] b) { b = If(c) <then_branch = t () => (float[1] p) { p = Neg(a) }, else_branch = e () => (float[1] q) { q = Abs(a) }> }", 17);
        SamCompressException e = Assert.Throws<SamCompressException>(() => ModelJoin.Append(model, second, new Dictionary<string, Value>()));
        Assert.Equal("the model cannot be put behind another one: it has functions or subgraphs", e.Message);
    }
}
