using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using SamCompress.Cli.Commands;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli;

/// <summary>The commands, and how a failure becomes one line on standard error and an exit code.</summary>
public static class CommandLine
{
    public static string Version { get; } = typeof(CommandLine).Assembly.GetName().Version!.ToString(3);

    /// <summary>Runs one command line and returns the exit code. Never throws for a failure of the command.</summary>
    public static int Run(IReadOnlyList<string> args, CommandContext context)
    {
        bool json = AsksForJson(args);
        return Guard(context, json, () =>
        {
            RefuseNoText(args);
            ParseResult result = Build(context).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (result.Errors.Count > 0)
                return new ErrorRenderer(context, json).Usage(result);
            return result.Invoke(new InvocationConfiguration
            {
                Output = context.Out,
                Error = context.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        });
    }

    /// <summary>Runs a step and turns whatever it throws into an error line and an exit code.</summary>
    internal static int Guard(CommandContext context, bool json, Func<int> step)
    {
        try
        {
            return step();
        }
        catch (Exception e)
        {
            return new ErrorRenderer(context, json).Failure(e);
        }
    }

    internal static RootCommand Build(CommandContext context)
    {
        var common = new CommonOptions(context);
        var root = new RootCommand("Turns a Segment Anything ONNX model into a validated int8 model.") { HelpName = "samcompress" };
        foreach (Option option in root.Options)
        {
            if (option is VersionOption version)
                version.Action = new PrintVersion(context.Out);
            else if (option is HelpOption { Action: HelpAction help })
                help.MaxWidth = 120;
        }

        root.Options.Add(common.Format);
        root.Options.Add(common.Verbose);
        root.Options.Add(common.Quiet);
        root.Options.Add(common.FailOnWarnings);
        common.Reading.AddTo(root);
        root.Subcommands.Add(QuantizeCommand.Create(common));
        root.Subcommands.Add(OptimizeCommand.Create(common));
        root.Subcommands.Add(RewriteCommand.Create(common));
        root.Subcommands.Add(PruneCommand.Create(common));
        root.Subcommands.Add(DistillCommand.Create(common));
        root.Subcommands.Add(CompressCommand.Create(common));
        root.Subcommands.Add(InspectCommand.Create(common));
        root.Subcommands.Add(CalibrateCommand.Create(common));
        root.Subcommands.Add(EvaluateCommand.Create(common));
        root.Subcommands.Add(SegmentCommand.Create(common));
        root.Subcommands.Add(SensitivityCommand.Create(common));
        root.Subcommands.Add(BenchCommand.Create(common));
        root.Subcommands.Add(CheckCommand.Create(common));
        root.Subcommands.Add(DoctorCommand.Create(common));
        return root;
    }

    /// <summary>No option means anything by an empty text, and no path holds a NUL; both would go unnoticed far into a job.</summary>
    private static void RefuseNoText(IReadOnlyList<string> args)
    {
        for (int i = 0; i < args.Count; i++)
        {
            if (args[i].Length == 0)
                throw new SamCompressException(FailureKind.Usage, i > 0 ? $"the argument behind '{args[i - 1]}' is empty" : "the first argument is empty", "is a variable of the shell not set?");
            if (args[i].Contains('\0', StringComparison.Ordinal))
                throw new SamCompressException(FailureKind.Usage, $"the argument '{args[i]}' holds a NUL character");
        }
    }

    /// <summary>Asked before parsing, because a command line that does not parse must answer in the right format too.</summary>
    internal static bool AsksForJson(IReadOnlyList<string> args)
    {
        for (int i = 0; i < args.Count; i++)
        {
            if (args[i] is "--format=json" or "--format:json" || (args[i] == "--format" && i + 1 < args.Count && args[i + 1] == "json"))
                return true;
        }

        return false;
    }

    private sealed class PrintVersion(TextWriter output) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            output.WriteLine($"samcompress {Version}");
            return ExitCodes.Done;
        }
    }
}
