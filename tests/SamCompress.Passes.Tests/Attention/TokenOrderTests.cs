using SamCompress.Passes.Attention;

namespace SamCompress.Passes.Tests.Attention;

public sealed class TokenOrderTests
{
    [Fact]
    public void Windows_hold_the_rows_of_a_rectangle() => Assert.Equal(
        [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11], [12, 13, 18, 19], [14, 15, 20, 21], [16, 17, 22, 23]],
        Rows(TokenOrder.Windows(4, 6, 2, 2)));

    [Fact]
    public void Phases_hold_the_rows_with_the_same_remainders() => Assert.Equal(
        [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]],
        Rows(TokenOrder.Phases(4, 4, 2, 2)));

    [Fact]
    public void Phases_of_one_axis_hold_whole_rows_or_columns()
    {
        Assert.Equal([[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]], Rows(TokenOrder.Phases(4, 3, 2, 1)));
        Assert.Equal([[0, 2, 4, 6], [1, 3, 5, 7]], Rows(TokenOrder.Phases(2, 4, 1, 2)));
    }

    [Fact]
    public void Segments_hold_every_second_row_of_a_part() => Assert.Equal(
        [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]],
        Rows(TokenOrder.Segments(12, 6, 2)));

    [Fact]
    public void Consecutive_groups_are_in_row_order()
    {
        Assert.Equal([[0, 1, 2], [3, 4, 5]], Rows(TokenOrder.Consecutive(2, 3)));
        Assert.True(TokenOrder.Consecutive(2, 3).IsRowOrder);
        Assert.False(TokenOrder.Phases(4, 4, 2, 2).IsRowOrder);
        Assert.Equal([1, 3, 0, 2], TokenOrder.Phases(4, 4, 2, 2).Permutation);
    }

    [Fact]
    public void Digits_that_leave_rows_out_are_no_order() => Assert.Null(TokenOrder.Of([new AxisDigit(2, 8)], [new AxisDigit(4, 1)]));

    /// <summary>The rows of each group, counted out.</summary>
    private static long[][] Rows(TokenOrder order) =>
        [.. Values([.. order.Groups]).Select(group => Values([.. order.Tokens]).Select(token => group + token).ToArray())];

    private static IEnumerable<long> Values(AxisDigit[] digits) => digits.Aggregate(
        (IEnumerable<long>)[0L], (outer, digit) => outer.SelectMany(value => Enumerable.Range(0, (int)digit.Size).Select(step => value + (step * digit.Stride))));
}
