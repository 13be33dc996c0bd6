using SamCompress.Cli;

namespace SamCompress.Fuzz;

/// <summary>A kind of input that strangers give.</summary>
/// <param name="Name">One word.</param>
/// <param name="Run">Makes one case in an empty directory, gives it to the program, and returns the exit code. Everything it decides comes from the generator.</param>
/// <param name="ExitCodes">Those that are right, whatever the input is.</param>
internal sealed record FuzzTarget(string Name, Func<Random, string, CommandContext, int> Run, params int[] ExitCodes)
{
    /// <summary>In stable order.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } = [.. Targets.ModelTargets.All, Targets.PictureTarget.Create(), .. Targets.TextTargets.All, Targets.OptionTarget.Create()];
}
