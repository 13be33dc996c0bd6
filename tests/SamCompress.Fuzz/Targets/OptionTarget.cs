using System.CommandLine;
using SamCompress.Cli;

namespace SamCompress.Fuzz.Targets;

/// <summary>Command lines: options of all verbs with values that are none, on a file that is no model.</summary>
internal static class OptionTarget
{
    private const int MostOptions = 5;

    private static readonly string[] Values =
    [
        "", " ", "0", "-1", "1", "1e9", "NaN", "Infinity", "0.5", "0,5", "banana", "w8a8", "--", "-", "@file", "[x]", "../..", "*", "re:(", "re:(a+)+$", "a\nb", "\u001b[31m", "\ud83d\ude00", "99999999999999999999", "1.5GB",
        "missing.onnx", "m.onnx", "m.onnx,m.onnx", "1,2,3,4", "global", "auto", "text", "json", "2147483648", "\0",
    ];

    public static FuzzTarget Create() => new("options", (random, directory, context) =>
    {
        string model = Path.Combine(directory, "m.onnx");
        File.WriteAllText(model, "nonsense");
        RootCommand root = CommandLine.Build(context);
        Command command = root.Subcommands[random.Next(root.Subcommands.Count)];
        Option[] options = [.. command.Options.Concat(root.Options).Where(o => o.Name != "--help" && o.Name != "--version")];
        List<string> args = [command.Name];
        if (random.Next(4) != 0)
            args.Add(model);
        for (int count = random.Next(MostOptions + 1); count > 0; count--)
        {
            args.Add(options[random.Next(options.Length)].Name);
            if (random.Next(5) != 0)
                args.Add(Value(random, directory));
        }

        return CommandLine.Run(args, context);
    }, 0, 1, 2, 3, 4, 5);

    private static string Value(Random random, string directory)
    {
        string value = Values[random.Next(Values.Length)];
        return value.StartsWith("m.", StringComparison.Ordinal) || value.StartsWith("missing", StringComparison.Ordinal) ? Path.Combine(directory, value) : value;
    }
}
