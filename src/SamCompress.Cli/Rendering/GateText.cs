using System.Globalization;
using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering;

internal static class GateText
{
    public static string Line(ReportedGate gate) => string.Create(
        CultureInfo.InvariantCulture,
        $"gate       {gate.Name} {(gate.Met ? "met" : "MISSED")}: {(gate.Got is { } got ? got.ToString("F4", CultureInfo.InvariantCulture) : "not measured")}, wanted {gate.Wanted:F4}");
}
