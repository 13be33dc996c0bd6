using System.CommandLine;
using System.CommandLine.Parsing;

namespace SamCompress.Cli.Commands;

/// <summary>What validators ask of a command line, of which parts may not be understood: asking for a value would throw there.</summary>
internal static class GivenOptions
{
    /// <summary>Whether an option was given, and is no switch that is turned off.</summary>
    public static bool IsGiven(this SymbolResult result, Option option) => result.GetResult(option) is { Implicit: false } given && given.Tokens is not [{ Value: "false" }];

    /// <summary>The word given for an option, the first of several, or null.</summary>
    public static string? Word(this SymbolResult result, Option option) => result.GetResult(option)?.Tokens is [{ Value: var word }, ..] ? word : null;

    /// <inheritdoc cref="IsGiven(SymbolResult, Option)"/>
    public static bool IsGiven(this SymbolResult result, Argument argument) => result.GetResult(argument) is { Implicit: false, Tokens.Count: > 0 };
}
