namespace SamCompress.Passes.Tests.Differentiation.Rules;

public sealed class ResizeGradientTests
{
    private static readonly GradientCheck Check = new() { Evaluator = () => new ReferenceModelEvaluator() };

    public static TheoryData<string, string, string> Forms
    {
        get
        {
            var forms = new TheoryData<string, string, string>();
            foreach (string coordinates in new[] { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric" })
            {
                foreach (string mode in new[] { "nearest", "linear", "cubic" })
                {
                    forms.Add(coordinates, mode, "8, 10");
                    forms.Add(coordinates, mode, "3, 5");
                    forms.Add(coordinates, mode, "1, 7");
                }
            }

            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void To_sizes(string coordinates, string mode, string to) => Check.Run($$"""
        agraph (double[2, 3, 4, 5] x) => (double[2, 3, {{to}}] y) <int64[4] sizes = {2, 3, {{to}}}>
        {
            y = Resize <mode = "{{mode}}", coordinate_transformation_mode = "{{coordinates}}"> (x, , , sizes)
        }
        """, "x");

    [Theory]
    [InlineData("1, 1, 2, 2.5", "8, 12", "nearest_mode = \"floor\", coordinate_transformation_mode = \"asymmetric\"")]
    [InlineData("1, 1, 0.6, 1.7", "2, 8", "nearest_mode = \"ceil\"")]
    [InlineData("1, 1, 0.6, 1.7", "2, 8", "nearest_mode = \"round_prefer_ceil\"")]
    [InlineData("1, 1, 0.6, 1.7", "2, 8", "mode = \"linear\"")]
    [InlineData("1, 1, 1.7, 0.8", "6, 4", "mode = \"cubic\", cubic_coeff_a = -0.5, exclude_outside = 1")]
    public void By_scales(string scales, string to, string attributes) => Check.Run($$"""
        agraph (double[2, 3, 4, 5] x) => (double[2, 3, {{to}}] y) <float[4] scales = { {{scales}} }>
        {
            y = Resize <{{attributes}}> (x, , scales)
        }
        """, "x");

    [Fact]
    public void Along_the_channels_too() => Check.Run("""
        agraph (double[2, 3, 4] x) => (double[2, 6, 2] y) <int64[3] sizes = {2, 6, 2}>
        {
            y = Resize <mode = "linear"> (x, , , sizes)
        }
        """, "x");
}
