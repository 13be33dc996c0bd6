using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Differentiation.Training;

public sealed class GradientGraphTests
{
    private const string Product = "g (float[1,2] X) => (float[1,2] Y) <float[2] w = {3, -1}, float[2] v = {1, 2}> { m = Mul (X, w) Y = Add (m, v) }";

    [Fact]
    public void Gradients_and_their_squares_are_summed_up_over_pictures()
    {
        using Model student = ModelText.Parse(Product);
        using var graph = GradientGraph.Build(student, [new LossTerm("Y")], withSquares: true);
        using var session = TrainingSession.Open(graph);
        // dy = 2 (x w + v - t) / 2, dw = dy x, dv = dy. First y = {7, -2}, dy = {6, -4}; then y = {-2, 1}, dy = {-2, 2}.
        Step(session, [2, 4], [1, 2]);
        Step(session, [-1, 1], [0, -1]);
        IReadOnlyDictionary<string, Tensor> sums = session.Read(StateKind.GradientSum), squares = session.Read(StateKind.SquaredGradientSum);
        Assert.Equal([12f + 2, -16f + 2], sums["w"].ToArray<float>());
        Assert.Equal([6f - 2, -4f + 2], sums["v"].ToArray<float>());
        Assert.Equal([144f + 4, 256f + 4], squares["w"].ToArray<float>());
        Assert.Equal([36f + 4, 16f + 4], squares["v"].ToArray<float>());
    }

    [Fact]
    public void Only_what_is_asked_for_is_summed_up()
    {
        using Model student = ModelText.Parse(Product);
        using var graph = GradientGraph.Build(student, [new LossTerm("Y")], name => name == "v");
        Assert.Equal(["v:GradientSum"], graph.State.Select(s => s.Name));
        Assert.Null(graph.Optimizer);
    }

    private static void Step(TrainingSession session, float[] x, float[] t)
    {
        using RuntimeTensor input = RuntimeTensor.Of(x, 1, 2), target = RuntimeTensor.Of(t, 1, 2);
        session.Step(new Dictionary<string, RuntimeTensor> { ["X"] = input }, new Dictionary<string, RuntimeTensor> { ["Y"] = target });
    }
}
