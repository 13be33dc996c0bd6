using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Evaluation;

public sealed class LayerErrorsTests
{
    private const string Teacher = "g (float[1,4] x) => (float[1,4] y) <float two = {2.0}> { h = Mul (x, two)  y = Add (h, x) }";

    /// <summary>Of h = 2, 4, 6, 8 the student gives 2, 4, 6, 9: the power of the signal is 120, that of the noise 1. y is off by the same 1, of 270.</summary>
    [Fact]
    public void Errors_are_ratios_of_powers_in_decibels()
    {
        IReadOnlyDictionary<string, double?> errors = Measure(
            "g (float[1,4] x) => (float[1,4] y) <float[4] f = {2.0, 2.0, 2.0, 2.25}> { h = Mul (x, f)  y = Add (h, x) }",
            [new ComparedValue("h", "h"), new ComparedValue("y", "y")]);

        Assert.Equal(10 * Math.Log10(120), errors["h"]!.Value, 6);
        Assert.Equal(10 * Math.Log10(270), errors["y"]!.Value, 6);
    }

    [Fact]
    public void A_value_may_have_another_name_in_the_student()
    {
        IReadOnlyDictionary<string, double?> errors = Measure(
            "g (float[1,4] x) => (float[1,4] y) <float one = {1.0}, float two = {2.0}> { h = Mul (x, one)  h_scaled = Mul (h, two)  y = Add (h_scaled, x) }", [new ComparedValue("h", "h_scaled")]);

        Assert.Null(Assert.Single(errors).Value);
    }

    [Fact]
    public void Values_that_one_lacks_or_that_differ_in_size_are_left_out() => Assert.Equal(
        ["y"],
        Measure(
            "g (float[1,4] x) => (float[1,4] y) <float two = {2.0}, int64[1] axes = {1}> { h = ReduceMax (x, axes)  t = Mul (x, two)  y = Add (t, x) }",
            [new ComparedValue("h", "h"), new ComparedValue("gone", "gone"), new ComparedValue("y", "y"), new ComparedValue("h", "gone")]).Keys);

    [Fact]
    public void The_models_are_left_as_they_were()
    {
        using Model teacher = Parse(Teacher), student = Parse(Teacher);
        string before = ModelText.Print(teacher);

        new LayerErrors().Measure(teacher, student, [new ComparedValue("h", "h")], new Dictionary<string, RuntimeTensor>
        {
            ["x"] = RuntimeTensor.Of([1f, 2, 3, 4], 1, 4),
        });

        Assert.Equal(before, ModelText.Print(teacher));
        Assert.Equal(before, ModelText.Print(student));
    }

    /// <summary>4096 x 768 elements are 48 times as many as are looked at; every 53rd meets every channel, as 768 and 53 share no factor.</summary>
    [Fact]
    public void Large_values_are_sampled_in_prime_steps()
    {
        Assert.Equal(1, LayerErrors.Step(Shape.Of(1, 1024, 64)));
        Assert.Equal(53, LayerErrors.Step(Shape.Of(1, 4096, 768)));
        Assert.Equal(2, LayerErrors.Step(Shape.Of(1, 1025, 64)));
        Assert.Equal(1, LayerErrors.Step(new Shape(Dimension.Of("batch"), 1024, 64)));
    }

    [Fact]
    public void A_sampled_value_is_compared_at_the_same_elements()
    {
        const string student = "g (float[1,400,512] x) => (float[1,400,512] y) <float[512] f = {0}> { y = Add (x, f) }";
        using Model teacher = Parse("g (float[1,400,512] x) => (float[1,400,512] y) <float f = {0.0}> { y = Add (x, f) }");
        using Model other = Parse(student.Replace("{0}", "{" + string.Join(", ", Enumerable.Range(0, 512).Select(i => i % 2 == 0 ? "0.1" : "-0.1")) + "}", StringComparison.Ordinal));

        IReadOnlyDictionary<string, double?> errors = new LayerErrors().Measure(teacher, other, [new ComparedValue("y", "y")], new Dictionary<string, RuntimeTensor>
        {
            ["x"] = RuntimeTensor.Of([.. Enumerable.Range(0, 400 * 512).Select(i => i % 3 - 1f)], 1, 400, 512),
        });

        // Two elements of three have a power of 1, all differ by 0.1.
        Assert.Equal(10 * Math.Log10(2.0 / 3 / 0.01), errors["y"]!.Value, 2);
    }

    private static IReadOnlyDictionary<string, double?> Measure(string student, IEnumerable<ComparedValue> values)
    {
        using Model teacher = Parse(Teacher), other = Parse(student);
        using RuntimeTensor input = RuntimeTensor.Of([1f, 2, 3, 4], 1, 4);
        return new LayerErrors().Measure(teacher, other, values, new Dictionary<string, RuntimeTensor> { ["x"] = input });
    }

    private static Model Parse(string text)
    {
        Model model = ModelText.Parse(text);
        ShapeInference.Infer(model);
        return model;
    }
}
