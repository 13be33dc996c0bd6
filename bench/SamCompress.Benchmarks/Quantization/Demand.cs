using System.Globalization;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>What a figure is wanted to be.</summary>
/// <param name="What">The demand in words.</param>
internal sealed record Demand(string What, bool IsMet)
{
    /// <summary>A figure that was not measured meets nothing.</summary>
    public static Demand AtLeast(string figure, double wanted, double got) => new(string.Create(CultureInfo.InvariantCulture, $"{figure} >= {wanted}"), got >= wanted);

    public static Demand AtMost(string figure, double wanted, double got) => new(string.Create(CultureInfo.InvariantCulture, $"{figure} <= {wanted}"), got <= wanted);

    public static Demand Above(string figure, double wanted, double got) => new(string.Create(CultureInfo.InvariantCulture, $"{figure} > {wanted}"), got > wanted);

    public static Demand Below(string figure, double wanted, double got) => new(string.Create(CultureInfo.InvariantCulture, $"{figure} < {wanted}"), got < wanted);

    /// <summary>A cell of a table.</summary>
    public static string Verdict(params IEnumerable<Demand> demands) => string.Join("; ", demands.Select(d => $"{d.What}: {(d.IsMet ? "met" : "MISSED")}"));
}
