using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress doctor</c>: what this machine offers, and what is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new Command("doctor", "Say what this machine offers to SamCompress, and what is missing.");
        command.SetAction(parse =>
        {
            DoctorReport report = DoctorJob.Run();
            common.Write(parse, report, writer => DoctorRenderer.Write(report, writer));
            return report.Healthy ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
