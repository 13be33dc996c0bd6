using SamCompress.Passes.Cleanup;
using SamCompress.Passes.Rewriting;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class EliminateNeutralOperandTests
{
    /// <summary>Numbers on which a wrong sign of zero or a lost bit would show.</summary>
    private static readonly Dictionary<string, Array> Zeros = new() { ["x"] = new float[] { -0f, 0f, 1e-42f, -3.5f, float.MaxValue, float.NegativeInfinity } };

    [Fact]
    public void Removes_operations_that_change_no_bit() => Snapshot.Match(PassCheck.Apply(
        """
        g (float[2,3] x) => (float[2,3] y) <float one = {1}, float[3] ones = {1, 1, 1}, float zero = {0}, float minus = {-0.0}>
        { a = Mul (one, x) b = Div (a, ones) c = Sub (b, zero) d = Add (c, minus) y = Neg (d) }
        """,
        new EliminateNeutralOperand(),
        inputs: Zeros));

    [Fact]
    public void Removes_adding_zero_to_integers() => Snapshot.Match(PassCheck.Apply(
        "g (int64[2,3] x) => (int64[2,3] y) <int64 zero = {0}> { a = Add (x, zero) y = Neg (a) }", new EliminateNeutralOperand()));

    [Fact]
    public void Keeps_adding_zero_to_floats() => PassCheck.Refuses(
        "g (float[2,3] x) => (float[2,3] y) <float zero = {0}> { y = Add (x, zero) }", new EliminateNeutralOperand(), "the constant is not neutral");

    [Fact]
    public void Keeps_an_operand_that_broadcasts() => PassCheck.Refuses(
        "g (float[1,3] x) => (float[2,3] y) <float[2,1] one = {1, 1}> { y = Mul (x, one) }", new EliminateNeutralOperand(),
        "the constant broadcasts x, or the shape is not known");

    [Fact]
    public void Keeps_one_divided_by_x() => PassCheck.LeavesAlone(
        "g (float[2,3] x) => (float[2,3] y) <float one = {1}> { y = Div (one, x) }", new Rewriter(new EliminateNeutralOperand()));
}
