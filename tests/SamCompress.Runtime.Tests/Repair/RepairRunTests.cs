using SamCompress.IR;
using SamCompress.Passes.Repair;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Runtime.Repair;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Repair;

public sealed class RepairRunTests
{
    private const string Constants = "<float[2,2] w = {1, -2, 3, 0.5}, float[2] b = {1, -1}, float[2,2] v = {2, 1, -1, 1}, float half = {0.5}, float[2] off = {100, -3}>";

    /// <summary>Six pictures of eight positions tell four weights and two biases exactly: what is left is the rounding of sums in float, and lambda squared.</summary>
    private const double Nothing = 1e-6;

    private static readonly RepairSettings Exact = new() { Lambdas = [1e-6] };

    [Fact]
    public void Makes_up_for_a_changed_input()
    {
        using Model teacher = Teacher();
        using Model student = Parse("h = Mul (X, half) [l] p = MatMul (h, w) P = Add (p, b) Q = Add (X, P) [m] Y = MatMul (Q, v)");
        LayerRepair repair = Assert.Single(new RepairRun(Exact).Run(teacher, student, [new RepairTarget("l", "P")], Samples).Layers);
        Assert.InRange(repair.ErrorBefore, 0.1, 1);
        Assert.InRange(repair.ErrorAfter, 0, Nothing);
        Assert.Equal((2, 1e-6), (repair.Refitted, repair.Lambda));
        Assert.All(new float[] { 2, -4, 6, 1 }.Zip(repair.Map!.Weight), p => Assert.Equal(p.First, p.Second, 1e-4));
        NumericAssert.Close(teacher, student, 1e-4);
    }

    [Fact]
    public void A_residual_makes_up_for_what_came_before()
    {
        // The student's residual lacks half of X: the layer takes it over. Without the residual the layer, which is right, stays.
        using Model teacher = Teacher();
        using Model student = Parse("h = Mul (X, half) [l] p = MatMul (X, w) P = Add (p, b) Q = Add (h, P) [m] Y = MatMul (Q, v)");
        Assert.Equal("no output comes nearer to the teacher on held-out pictures", Assert.Single(new RepairRun(Exact).Run(teacher, student, [new RepairTarget("l", "P")], Samples).Layers).Why);
        LayerRepair repair = Assert.Single(new RepairRun(Exact).Run(teacher, student, [new RepairTarget("l", "Q", "h")], Samples).Layers);
        Assert.True(repair.IsKept);
        Assert.All(new float[] { 1.5f, -2, 3, 1 }.Zip(repair.Map!.Weight), p => Assert.Equal(p.First, p.Second, 1e-4));
        NumericAssert.Close(teacher, student, 1e-4);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Layers_are_fitted_in_the_order_of_the_graph_behind_repaired_ones(bool isSequential)
    {
        using Model teacher = Teacher();
        using Model student = Parse("h = Mul (X, half) [l] p = MatMul (h, w) P = Add (p, b) Q = Add (X, P) [m] Y = MatMul (Q, v)");
        IReadOnlyList<LayerRepair> repairs = new RepairRun(Exact with { IsSequential = isSequential }).Run(teacher, student, [new RepairTarget("m", "Y"), new RepairTarget("l", "P")], Samples).Layers;
        Assert.Equal(["l", "m"], repairs.Select(r => r.Layer));
        Assert.InRange(repairs[1].ErrorBefore, isSequential ? 0 : 0.1, isSequential ? Nothing : 10);
    }

    [Fact]
    public void Positions_of_a_pointwise_convolution_are_rows()
    {
        const string Weights = "<float[2,3,1,1] w = {1, 2, 3, 4, 5, 6}, float[2] b = {1, -1}, float two = {2}>";
        using Model teacher = ModelText.Parse($"g (float[1,3,2,4] X) => (float[1,2,2,4] Y) {Weights} {{ Y = Conv (X, w, b) }}", 17);
        using Model student = ModelText.Parse($"g (float[1,3,2,4] X) => (float[1,2,2,4] Y) {Weights} {{ h = Mul (X, two) [l] Y = Conv (h, w) }}", 17);
        LayerRepair repair = Assert.Single(new RepairRun(Exact).Run(teacher, student, [new RepairTarget("l", "Y")], () => Pictures(6, 1, 3, 2, 4)).Layers);
        Assert.InRange(repair.ErrorAfter, 0, Nothing);
        NumericAssert.Close(teacher, student, 1e-4);
    }

    [Fact]
    public void Large_means_do_not_take_the_digits()
    {
        // Inputs near 100 that vary by 1: in float, products of 10,000 would leave some 1e-3 of what varies.
        using Model teacher = Parse("o = Add (X, off) [l] p = MatMul (o, w) Y = Add (p, b)");
        using Model student = Parse("o = Add (X, off) h = Mul (o, half) [l] p = MatMul (h, w) Y = Add (p, b)");
        LayerRepair repair = Assert.Single(new RepairRun(Exact).Run(teacher, student, [new RepairTarget("l", "Y")], Samples).Layers);
        Assert.InRange(repair.ErrorAfter, 0, Nothing);
    }

    [Fact]
    public void Teacher_and_graph_of_the_student_stay_as_they_were()
    {
        using Model teacher = Teacher(), student = Teacher();
        string before = ModelText.Print(teacher);
        new RepairRun().Run(teacher, student, [new RepairTarget("l", "Q", "X")], Samples);
        Assert.Equal(before, ModelText.Print(teacher));
        Assert.Equal(student.Graph.Nodes.Select(n => n.OpType), teacher.Graph.Nodes.Select(n => n.OpType));
        Assert.Equal(["X"], student.Graph.Inputs.Select(i => i.Name));
        Assert.Equal(["Y"], student.Graph.Outputs.Select(o => o.Name));
    }

    [Fact]
    public void What_the_teacher_may_keep_changes_nothing_but_how_often_it_runs()
    {
        Assert.Equal(Weights(1 << 20), Weights(0));
        using Model teacher = Teacher();
        foreach ((long bytes, int runs) in new[] { (1 << 20, 2), (0L, 4), (64L, 3) }) // P has 8 rows of 2 floats: 64 bytes
        {
            using var values = TeacherValues.Open(teacher, ["P"], SessionSettings.Default, bytes);
            for (int round = 0; round < 2; round++)
            {
                int picture = 0;
                foreach (CalibrationSample sample in Pictures(2, 1, 8, 2))
                {
                    using (sample)
                        values.Use(picture++, sample, v => Assert.Equal(16, v["P"].Count), default);
                }
            }

            Assert.Equal(runs, values.Runs);
        }

        static float[] Weights(long bytes)
        {
            using Model teacher = Teacher(), student = Parse("h = Mul (X, half) [l] p = MatMul (h, w) P = Add (p, b) Q = Add (X, P) [m] Y = MatMul (Q, v)");
            RepairPlan plan = new RepairRun(new RepairSettings { MaxKeptBytes = bytes }).Run(teacher, student, [new RepairTarget("l", "P"), new RepairTarget("m", "Y")], Samples);
            return [.. plan.Layers.SelectMany(l => l.Map?.Weight ?? [])];
        }
    }

    [Fact]
    public void Values_that_are_not_finite_are_refused_with_layer_and_picture()
    {
        using Model teacher = Teacher(), student = Teacher();
        IEnumerable<CalibrationSample> WithNaN() => Pictures(6, 1, 8, 2).Select((s, i) =>
        {
            if (i == 4)
                s.Inputs["X"].As<float>()[3] = float.NaN;
            return s;
        });
        SamCompressException e = Assert.Throws<SamCompressException>(() => new RepairRun().Run(teacher, student, [new RepairTarget("l", "P")], WithNaN));
        Assert.Equal((FailureKind.InputRejected, "l", "picture 4: a sum for the repair is not finite"), (e.Kind, e.Location, e.Message));
    }

    [Fact]
    public void Two_pictures_and_unknown_names_are_refused()
    {
        using Model teacher = Teacher(), student = Teacher();
        Assert.Equal(
            "a repair needs 3 pictures or more, and there are 2",
            Assert.Throws<SamCompressException>(() => new RepairRun().Run(teacher, student, [new RepairTarget("l", "P")], () => Pictures(2, 1, 8, 2))).Message);
        Assert.Throws<InvariantException>(() => new RepairRun().Run(teacher, student, [new RepairTarget("k", "P")], Samples));
        Assert.Throws<InvariantException>(() => new RepairRun().Run(teacher, student, [new RepairTarget("l", "K")], Samples));
        Assert.Throws<InvariantException>(() => new RepairRun().Run(teacher, student, [new RepairTarget("l", "Q", "K")], Samples));
        Assert.Empty(new RepairRun().Run(teacher, student, [], Samples).Layers);
    }

    private static Model Teacher() => Parse("[l] p = MatMul (X, w) P = Add (p, b) Q = Add (X, P) [m] Y = MatMul (Q, v)");

    private static Model Parse(string nodes) => ModelText.Parse($"g (float[1,8,2] X) => (float[1,8,2] Y) {Constants} {{ {nodes} }}", 17);

    private static IEnumerable<CalibrationSample> Samples() => Pictures(6, 1, 8, 2);

    private static IEnumerable<CalibrationSample> Pictures(int count, params long[] shape)
    {
        var random = new Random(3);
        for (int i = 0; i < count; i++)
        {
            float[] elements = [.. Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(_ => (float)((random.NextDouble() * 4) - 2))];
            yield return new CalibrationSample($"picture {i}", new Dictionary<string, RuntimeTensor> { ["X"] = RuntimeTensor.Of(elements, shape) });
        }
    }
}
