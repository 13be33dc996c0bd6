namespace SamCompress.Passes.Tests.Differentiation.Rules;

/// <summary>Rules of what moves elements. ONNX Runtime computes them in double precision.</summary>
public sealed class MovementGradientTests
{
    [Theory]
    [InlineData("[2, 3, 4]", "[6, 4]", "Reshape (x, to)", "int64[2] to = {6, -1}")]
    [InlineData("[2, 1, 4, 1]", "[2, 4]", "Squeeze (x, to)", "int64[2] to = {1, -1}")]
    [InlineData("[2, 4]", "[1, 2, 4, 1]", "Unsqueeze (x, to)", "int64[2] to = {0, -1}")]
    [InlineData("[2, 3, 4]", "[6, 4]", "Flatten <axis = 2> (x)", "int64[1] to = {0}")]
    [InlineData("[2, 3, 4]", "[4, 2, 3]", "Transpose <perm = [2, 0, 1]> (x)", "int64[1] to = {0}")]
    [InlineData("[2, 3, 4]", "[4, 3, 2]", "Transpose (x)", "int64[1] to = {0}")]
    [InlineData("[2, 3]", "[2, 3]", "Identity (x)", "int64[1] to = {0}")]
    [InlineData("[2, 3]", "[2, 3]", "Dropout (x)", "int64[1] to = {0}")]
    [InlineData("[3, 1]", "[2, 3, 4]", "Expand (x, to)", "int64[3] to = {2, 1, 4}")]
    [InlineData("[2, 3]", "[4, 9]", "Tile (x, to)", "int64[2] to = {2, 3}")]
    [InlineData("[2, 3]", "[4, 2]", "Pad (x, to)", "int64[4] to = {1, 0, 1, -1}")]
    [InlineData("[2, 3, 2]", "[2, 6, 2]", "Pad (x, to, , axes)", "int64[2] to = {1, 2}, int64[1] axes = {-2}")]
    public void One_input(string from, string to, string call, string operands) => GradientCheck.Agrees($$"""
        agraph (double{{from}} x) => (double{{to}} y) <{{operands}}>
        {
            y = {{call}}
        }
        """, "x");

    [Theory]
    [InlineData("1", "3", "0", "1", 2)]
    [InlineData("-4", "-1", "1", "1", 3)]
    [InlineData("1", "100", "-1", "2", 3)]
    [InlineData("0", "7", "1", "3", 3)]
    [InlineData("1", "6", "1", "3", 2)]
    [InlineData("-1", "-100", "1", "-1", 7)]
    [InlineData("5", "0", "1", "-2", 3)]
    [InlineData("-2", "-7", "1", "-3", 2)]
    [InlineData("0", "5", "1", "2", 3)]
    public void Slice(string start, string end, string axis, string step, int length) => GradientCheck.Agrees($$"""
        agraph (double[5, 7] x) => (double[{{(axis == "0" ? length : 5)}}, {{(axis == "0" ? 7 : length)}}] y)
            <int64[1] start = { {{start}} }, int64[1] end = { {{end}} }, int64[1] axis = { {{axis}} }, int64[1] step = { {{step}} }>
        {
            y = Slice (x, start, end, axis, step)
        }
        """, "x");

    [Fact]
    public void Slice_along_two_axes() => GradientCheck.Agrees("""
        agraph (double[2, 5, 7] x) => (double[2, 2, 4] y) <int64[2] start = {1, -1}, int64[2] end = {5, -8}, int64[2] axis = {-2, 2}, int64[2] step = {2, -2}>
        {
            y = Slice (x, start, end, axis, step)
        }
        """, "x");

    [Fact]
    public void Concat_of_a_value_with_itself_and_others() => GradientCheck.Agrees("""
        agraph (double[2, 3] a, double[2, 1] b) => (double[2, 7] y)
        {
            y = Concat <axis = -1> (a, b, a)
        }
        """, "a", "b");

    [Fact]
    public void Split_with_a_part_that_nobody_reads() => GradientCheck.Agrees("""
        agraph (double[2, 6] x) => (double[2, 1] a, double[2, 3] c) <int64[3] sizes = {1, 2, 3}>
        {
            a, b, c = Split <axis = 1> (x, sizes)
        }
        """, "x");

    [Theory]
    [InlineData(0, "[2, 2]", "0, 3, -1, 3", "[2, 2, 3, 2]")]
    [InlineData(1, "[4]", "2, 0, 2, 2", "[4, 4, 2]")]
    [InlineData(-1, "", "1", "[4, 3]")]
    public void Gather(int axis, string shape, string indices, string to) => GradientCheck.Agrees($$"""
        agraph (double[4, 3, 2] x) => (double{{to}} y) <int64{{shape}} i = { {{indices}} }>
        {
            y = Gather <axis = {{axis}}> (x, i)
        }
        """, "x");

    [Fact]
    public void Gather_by_indices_that_are_computed() => new GradientCheck
    {
        Evaluator = () => new ReferenceModelEvaluator(), // ONNX Runtime has no OneHot of doubles
        Inputs = new Dictionary<string, double[]> { ["i"] = [1, -1, 1, 0, 3, 1] },
    }.Run("""
        agraph (double[4, 3] x, int64[2, 3] i) => (double[2, 3, 3] y)
        {
            y = Gather <axis = 0> (x, i)
        }
        """, "x");

    [Fact]
    public void GatherElements() => GradientCheck.Agrees("""
        agraph (double[2, 3] x) => (double[2, 4] y) <int64[2, 4] i = {0, 2, 2, -1, 1, 1, 0, 1}>
        {
            y = GatherElements <axis = 1> (x, i)
        }
        """, "x");

    [Fact]
    public void GatherND() => GradientCheck.Agrees("""
        agraph (double[2, 3, 2] x) => (double[3, 2] y) <int64[3, 2] i = {0, 2, 1, 1, 0, 2}>
        {
            y = GatherND (x, i)
        }
        """, "x");

    [Fact]
    public void Where_with_broadcasting() => new GradientCheck { Inputs = new Dictionary<string, double[]> { ["c"] = [1, 0, 0, 1] } }.Run("""
        agraph (bool[2, 1, 2] c, double[3, 2] a, double b) => (double[2, 3, 2] y)
        {
            y = Where (c, a, b)
        }
        """, "a", "b");

    [Theory]
    [InlineData("Sin")]
    [InlineData("Cos")]
    public void Circle(string op) => GradientCheck.Agrees($$"""
        agraph (double[2, 5] x) => (double[2, 5] y)
        {
            y = {{op}} (x)
        }
        """, "x");

    [Theory]
    [InlineData("Floor")]
    [InlineData("Ceil")]
    [InlineData("Round")]
    [InlineData("Sign")]
    public void Steps_add_nothing_to_the_gradient(string op) => new GradientCheck { Kinks = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2] }.Run($$"""
        agraph (double[2, 5] x) => (double[2, 5] y)
        {
            step = {{op}} (x)
            y = Mul (step, x)
        }
        """, "x");

    [Fact]
    public void Cast_to_integers_and_back_carries_no_gradient() => new GradientCheck { Kinks = [-2, -1, 0, 1, 2] }.Run("""
        agraph (double[2, 5] x) => (double[2, 5] y)
        {
            i = Cast <to = 7> (x)
            f = Cast <to = 11> (i)
            y = Mul (f, x)
        }
        """, "x");

    [Fact]
    public void Cast_between_real_types() => new GradientCheck { Evaluator = () => new ReferenceModelEvaluator() }.Run("""
        agraph (double[2, 5] x) => (double[2, 5] y)
        {
            f = Cast <to = 1> (x)
            y = Cast <to = 11> (f)
        }
        """, "x");
}
