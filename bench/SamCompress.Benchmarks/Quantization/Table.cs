using System.Globalization;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>A Markdown table on standard output, of which each row appears when it is there.</summary>
internal sealed class Table
{
    private readonly int _columns;

    public Table(string title, params string[] columns)
    {
        _columns = columns.Length;
        Console.WriteLine($"\n## {title}\n");
        Row(columns);
        Row([.. columns.Select(_ => "---")]);
    }

    public void Row(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, _columns);
        Console.WriteLine($"| {string.Join(" | ", cells)} |");
    }

    /// <summary>The number, or nothing when it was not measured.</summary>
    public static string Number(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>An IoU or another share of 1.</summary>
    public static string Share(double value) => Number(value, "0.0000");
}
