using System.Globalization;

namespace SamCompress.Cli.Rendering;

/// <summary>Numbers as people read them, with three significant digits.</summary>
internal static class Quantity
{
    private static readonly string[] CountUnits = ["", " k", " M", " G", " T", " P", " E"];
    private static readonly string[] ByteUnits = [" bytes", " kB", " MB", " GB", " TB", " PB", " EB"];

    /// <summary>For example <c>368.7 G</c>.</summary>
    public static string Count(long value) => Scaled(value, CountUnits);

    /// <summary>In powers of 1000, for example <c>12.4 MB</c>.</summary>
    public static string Bytes(long value) => Scaled(value, ByteUnits);

    public static string Seconds(double seconds) =>
        seconds >= 60 ? string.Create(CultureInfo.InvariantCulture, $"{(int)(seconds / 60)} min {seconds % 60:F0} s") : string.Create(CultureInfo.InvariantCulture, $"{seconds:F1} s");

    private static string Scaled(long value, string[] units)
    {
        double scaled = value;
        int unit = 0;
        while (scaled >= 1000 && unit < units.Length - 1)
        {
            scaled /= 1000;
            unit++;
        }

        string number = unit == 0 ? value.ToString(CultureInfo.InvariantCulture) : scaled.ToString(scaled < 10 ? "F2" : "F1", CultureInfo.InvariantCulture);
        return number + units[unit];
    }
}
