namespace SamCompress.Runtime.Images;

/// <summary>How a decoded picture is turned upright: axes are exchanged, then read forwards or backwards.</summary>
/// <param name="Permutation">From [rows, columns, channels] as stored to [channels, rows, columns].</param>
/// <param name="FlipRows">Whether rows go from the last to the first, after the exchange.</param>
internal sealed record Turn(IReadOnlyList<long> Permutation, bool FlipRows, bool FlipColumns)
{
    /// <summary>Rows and columns stay.</summary>
    public static IReadOnlyList<long> Straight { get; } = [2, 0, 1];

    /// <summary>Rows become columns.</summary>
    public static IReadOnlyList<long> Exchanged { get; } = [2, 1, 0];

    /// <summary>The least orientation that exchanges rows and columns.</summary>
    public const int FirstExchanged = 5;

    /// <summary>Where a Slice of [channels, rows, columns] starts. Channels go backwards always: the decoder's are blue, green, red.</summary>
    public long[] Starts => [-1, FlipRows ? -1 : 0, FlipColumns ? -1 : 0];

    public long[] Ends => [long.MinValue + 1, FlipRows ? long.MinValue + 1 : long.MaxValue, FlipColumns ? long.MinValue + 1 : long.MaxValue];

    public long[] Steps => [-1, FlipRows ? -1 : 1, FlipColumns ? -1 : 1];

    /// <param name="orientation">As EXIF counts, 1 to 8 (CIPA DC-008, tag 0x0112).</param>
    public static Turn Of(int orientation) => new(
        orientation >= FirstExchanged ? Exchanged : Straight,
        FlipRows: orientation is 3 or 4 or 7 or 8,
        FlipColumns: orientation is 2 or 3 or 6 or 7);
}
