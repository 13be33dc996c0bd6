using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace SamCompress.Cli.Commands;

/// <summary>Options that are numbers within bounds, refused at parse time with the bounds.</summary>
internal static class Numbers
{
    public static Option<double?> Between(string name, string description, double least, double most)
    {
        string range = string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}");
        return new Option<double?>(name) { Description = description, HelpName = "NUMBER", CustomParser = result => Parse(result, name, range, least, most) };
    }

    public static Option<int?> Whole(string name, string description, int least, int most)
    {
        string range = string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}");
        return new Option<int?>(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result => (int?)Parse(result, name, range, least, most, wholeOnly: true),
        };
    }

    /// <summary>Bytes, as a number with or without a unit: 500MB, 2GiB, 1.5G.</summary>
    public static Option<long?> Bytes(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            int end = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
            double unit = text[end..].Trim().ToUpperInvariant() switch
            {
                "" or "B" => 1,
                "K" or "KB" => 1e3,
                "M" or "MB" => 1e6,
                "G" or "GB" => 1e9,
                "T" or "TB" => 1e12,
                "KIB" => 1L << 10,
                "MIB" => 1L << 20,
                "GIB" => 1L << 30,
                "TIB" => 1L << 40,
                _ => double.NaN,
            };
            if (double.TryParse(text[..end], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number * unit is >= 1 and < long.MaxValue)
                return (long)(number * unit);
            result.AddError($"'{text}' is no value of {name}: write a size such as 4GiB or 500MB.");
            return null;
        },
    };

    private static double? Parse(ArgumentResult result, string name, string range, double least, double most, bool wholeOnly = false)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value >= least && value <= most && (!wholeOnly || value == Math.Floor(value)))
        {
            return value;
        }

        result.AddError($"'{text}' is no value of {name}: use {range}.");
        return null;
    }
}
