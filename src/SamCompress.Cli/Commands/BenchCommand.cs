using System.CommandLine;
using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress bench MODEL --reference OTHER</c>: how fast a model runs.</summary>
internal static class BenchCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The ONNX file to time.");
        var reference = new Option<string?>("--reference") { Description = "A model to compare with; both run in turns.", HelpName = "FILE" };
        Option<int?> rounds = Numbers.Whole("--rounds", "Timed runs of each model. [default: 10]", 1, 100_000);
        var shapes = new InputShapeOption();
        var execution = new ExecutionOptions(common);
        var command = new Command("bench", "Time a model, in turns with another one, and say how many times as fast it is.");
        model.AddTo(command);
        command.Options.Add(reference);
        command.Options.Add(rounds);
        shapes.AddTo(command);
        execution.AddTo(command);
        command.SetAction(parse =>
        {
            var options = new BenchOptions(model.Of(parse), parse.GetValue(reference))
            {
                Rounds = parse.GetValue(rounds) ?? 10,
                Execution = execution.Of(parse),
                InputShapes = shapes.Of(parse),
            };
            using ConsoleProgress progress = common.Progress(parse);
            BenchReport report = BenchJob.Run(options, progress, common.Context.Cancellation);
            progress.Clear();
            common.Write(parse, report, writer => Write(report, writer));
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Write(BenchReport report, TextWriter writer)
    {
        foreach (BenchedModel model in new[] { report.Model, report.Reference }.OfType<BenchedModel>())
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{model.Milliseconds,10:F2} ms  (median {model.MedianMilliseconds:F2}, first {model.FirstMilliseconds:F1}, load {model.LoadMilliseconds:F0})  {SafeText.Line(model.Model)}"));
        }

        if (report.Ratio is { } ratio)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ratio,10:F2} times as fast as the reference, on {report.Device}, least of {report.Rounds} rounds in turns"));
    }
}
