using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress check MODEL</c>: whether a model keeps to the format, or the files of a folder to its manifest.</summary>
internal static class CheckCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The ONNX file to check, or the manifest.json of a folder.");
        var command = new Command("check", "Check a model by the rules of ONNX, or files by their manifest; exit with 1 when one is broken.");
        model.AddTo(command);
        command.SetAction(parse =>
        {
            CheckReport report = CheckJob.Run(model.Of(parse), common.Reading.Of(parse));
            common.Write(parse, report, writer => Write(report, writer));
            return common.ExitCode(parse, report.Ok, report.Findings);
        });
        return command;
    }

    private static void Write(CheckReport report, TextWriter writer)
    {
        string file = SafeText.Line(report.Model);
        foreach (Diagnostic finding in report.Findings)
            writer.WriteLine($"{file}({SafeText.Of(finding.Where)}): {finding.Severity.ToString().ToLowerInvariant()} {finding.Id}: {SafeText.Line(finding.Message)}");
        writer.WriteLine(report.Ok && report.Warnings == 0 ? $"{file}: no problems" : $"{file}: {report.Errors} errors, {report.Warnings} warnings");
    }
}
