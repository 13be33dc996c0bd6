using System.Globalization;
using SamCompress.Passes.Attention;

namespace SamCompress.Passes.Recipes;

public enum RewriteKind
{
    /// <summary>See <see cref="DilateAttention"/>.</summary>
    DilatedAttention,

    /// <summary>See <see cref="LinearizeAttention"/>.</summary>
    LinearAttention,

    /// <summary>See <see cref="ReduceRelativePosition"/>.</summary>
    LowRankPosition,
}

/// <summary>An approximate rewrite of attention, as it is asked for.</summary>
public sealed record RewriteStep
{
    public required RewriteKind Kind { get; init; }

    /// <summary>Of dilated attention: every which row and column a token attends to.</summary>
    public int? Interval { get; init; }

    /// <summary>Of dilated attention: the tokens of a segment, to dilate in one dimension; null for two.</summary>
    public long? Segment { get; init; }

    /// <summary>Of dilated attention in two dimensions: along which sides of the map.</summary>
    public DilatedAxes Axes { get; init; }

    /// <summary>Of dilated and linear attention: the side of the kernels by which neighbours mix behind it; null for none.</summary>
    public int? LocalKernel { get; init; }

    /// <summary>Of linear attention: with further heads of a second scale.</summary>
    public bool MultiScale { get; init; }

    /// <summary>Of low-rank positions: the root mean square error of a logit that is allowed.</summary>
    public double? Error { get; init; }

    /// <summary>Of low-rank positions: the rank, whatever the error is.</summary>
    public int? Rank { get; init; }

    public BlockChoice Blocks { get; init; } = BlockChoice.Global;

    /// <summary>Whether layers behind are refitted to the model as it was.</summary>
    public bool Repair { get; init; } = true;

    /// <summary>The mean mask IoU below which no further block is rewritten. For <see cref="BlockChoice.Auto"/>.</summary>
    public double? MinMiou { get; init; }

    /// <summary>What is wrong with the step, or null.</summary>
    public string? Contradiction() => Kind switch
    {
        _ when MinMiou is < 0 or > 1 or double.NaN => "minMiou must be a number from 0 to 1",
        _ when MinMiou is not null && !Blocks.IsAuto => "minMiou belongs to the blocks \"auto\"",
        RewriteKind.DilatedAttention when Interval is not (>= 2 and <= 64) => "dilatedAttention needs an interval from 2 to 64",
        RewriteKind.DilatedAttention when Segment < 2 => "segment must be at least 2",
        not RewriteKind.DilatedAttention when Interval is not null || Segment is not null || Axes != DilatedAxes.Both => "interval, segment and axes belong to dilatedAttention",
        RewriteKind.DilatedAttention when Segment is not null && Axes != DilatedAxes.Both => "segment and axes exclude each other",
        RewriteKind.LowRankPosition when LocalKernel is not null => "localKernel belongs to dilatedAttention and linearAttention",
        _ when LocalKernel is < 3 or > 15 || LocalKernel % 2 == 0 => "localKernel must be an odd number from 3 to 15",
        not RewriteKind.LinearAttention when MultiScale => "multiScale belongs to linearAttention",
        RewriteKind.LowRankPosition when Error is not null && Rank is not null => "error and rank exclude each other",
        RewriteKind.LowRankPosition when Error is not null and not (> 0 and < 100) => "error must be over 0 and below 100",
        RewriteKind.LowRankPosition when Rank < 1 => "rank must be at least 1",
        not RewriteKind.LowRankPosition when Error is not null || Rank is not null => "error and rank belong to lowRankPosition",
        _ => null,
    };

    /// <summary>For reports, behind what became of an attention: how its neighbours mix; empty when they do not.</summary>
    public string Mixing() => LocalKernel is { } side ? string.Create(CultureInfo.InvariantCulture, $", neighbours mixed by {side} x {side}") : "";

    /// <summary>For reports: the kind with its numbers.</summary>
    public override string ToString() => Kind switch
    {
        RewriteKind.DilatedAttention => string.Create(
            CultureInfo.InvariantCulture, $"dilated attention, interval {Interval}{(Segment is { } s ? $", segments of {s}" : Axes == DilatedAxes.Both ? "" : Axes == DilatedAxes.Rows ? " of rows" : " of columns")}{Mixing()}"),
        RewriteKind.LinearAttention => (MultiScale ? "linear attention of two scales" : "linear attention") + Mixing(),
        _ => string.Create(CultureInfo.InvariantCulture, $"low-rank positions, {(Rank is { } r ? $"rank {r}" : $"error {Error ?? ReduceRelativePosition.DefaultError}")}"),
    };
}
