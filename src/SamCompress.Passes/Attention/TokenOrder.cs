using System.Collections.Immutable;

namespace SamCompress.Passes.Attention;

/// <summary>
/// Which rows of a Linear layer attend to each other: rows are cut into groups, and a group's rows are its tokens in an order. Row = sum of digit times stride
/// over the digits of groups and tokens, the first of each turning slowest. Windows, dilation and the whole map are all orders of this kind.
/// </summary>
public sealed record TokenOrder
{
    private TokenOrder(ImmutableArray<AxisDigit> groups, ImmutableArray<AxisDigit> tokens)
    {
        Groups = groups;
        Tokens = tokens;
        RowDigits = [.. groups.AddRange(tokens).OrderByDescending(d => d.Stride)];
    }

    public ImmutableArray<AxisDigit> Groups { get; }

    public ImmutableArray<AxisDigit> Tokens { get; }

    /// <summary>The digits of groups and tokens as they turn when rows are counted up.</summary>
    public ImmutableArray<AxisDigit> RowDigits { get; }

    public long GroupCount => Count(Groups);

    public long TokenCount => Count(Tokens);

    public long RowCount => GroupCount * TokenCount;

    /// <summary>Whether groups are runs of rows, and tokens stand in the order of their rows.</summary>
    public bool IsRowOrder => RowDigits.SequenceEqual(Groups.AddRange(Tokens));

    /// <summary>Where the digits of groups and then tokens are among <see cref="RowDigits"/>.</summary>
    public IReadOnlyList<int> Permutation => [.. Groups.AddRange(Tokens).Select(d => RowDigits.IndexOf(d))];

    /// <summary>An order of digits; null when they do not count every row once.</summary>
    public static TokenOrder? Of(IEnumerable<AxisDigit> groups, IEnumerable<AxisDigit> tokens)
    {
        var order = new TokenOrder([.. groups.Where(d => d.Size > 1)], [.. tokens.Where(d => d.Size > 1)]);
        long stride = 1;
        foreach (AxisDigit digit in order.RowDigits.Reverse())
        {
            if (digit.Stride != stride)
                return null;
            stride *= digit.Size;
        }

        return order;
    }

    /// <summary>Groups of consecutive rows.</summary>
    public static TokenOrder Consecutive(long groups, long tokens) => Of([new AxisDigit(groups, tokens)], [new AxisDigit(tokens, 1)])!;

    /// <summary>Windows of a map, row by row.</summary>
    public static TokenOrder Windows(long height, long width, long windowHeight, long windowWidth) => Of(
        [new AxisDigit(height / windowHeight, windowHeight * width), new AxisDigit(width / windowWidth, windowWidth)],
        [new AxisDigit(windowHeight, width), new AxisDigit(windowWidth, 1)])!;

    /// <summary>2-D dilation: the tokens of a map whose row and column leave the same remainders by their intervals, of which one may be 1.</summary>
    public static TokenOrder Phases(long height, long width, long rows, long columns) => Of(
        [new AxisDigit(rows, width), new AxisDigit(columns, 1)],
        [new AxisDigit(height / rows, rows * width), new AxisDigit(width / columns, columns)])!;

    /// <summary>1-D dilation: segments of consecutive tokens, in which every <paramref name="interval"/>-th attend to each other.</summary>
    public static TokenOrder Segments(long tokens, long segment, long interval) => Of(
        [new AxisDigit(tokens / segment, segment), new AxisDigit(interval, 1)],
        [new AxisDigit(segment / interval, interval)])!;

    private static long Count(ImmutableArray<AxisDigit> digits) => digits.Aggregate(1L, (product, d) => product * d.Size);
}
