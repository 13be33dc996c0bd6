using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Supervision;

/// <summary>
/// Runs a command in a child process of the same program, because a model can crash the native runtime or overflow a stack, and nothing inside a process can catch that. Here it becomes an
/// error line and an exit code. The child inherits the standard streams. Over one pipe it hears of signals, a byte each; when the pipe ends its parent was killed, and it ends as well. Over the other
/// it says with which exit code it is about to end, because native code may end a process with any (libjpeg with 1).
/// </summary>
internal static class Supervisor
{
    /// <summary>The first argument of a child; the handles of its ends of both pipes follow.</summary>
    private const string Mark = "[supervised]";

    /// <summary>Shells and .NET alike: a process that signal n has ended has this exit code plus n.</summary>
    private const int SignalBase = 128;
    private const int Kill = 9;

    /// <summary>What reads models with our own code only.</summary>
    private static readonly string[] Managed = ["inspect", "check"];

    /// <summary>Whether a command line runs models, and so wants a child process.</summary>
    public static bool Wants(IReadOnlyList<string> args) =>
        args is [[not ('-' or '['), ..] verb, ..] && !Managed.Contains(verb) && !args.Any(a => a is "--help" or "-h" or "-?");

    /// <summary>Runs the command line in a child process, and in this one where none can be made.</summary>
    /// <returns>The exit code of the command.</returns>
    public static int Run(string[] args)
    {
        using var signals = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
        using var result = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        int asked = ExitCodes.Done;
        using var interruption = new Interruption(forward: exitCode =>
        {
            asked = exitCode;
            Tell(signals, exitCode);
        });
        using Process? child = Start([Mark, signals.GetClientHandleAsString(), result.GetClientHandleAsString(), .. args]);
        if (child is null)
            return Here(args);
        signals.DisposeLocalCopyOfClientHandle();
        result.DisposeLocalCopyOfClientHandle();
        child.WaitForExit();
        if (result.ReadByte() >= 0 || child.ExitCode is ExitCodes.Interrupted or ExitCodes.Terminated)
            return child.ExitCode;

        // Who is asked twice ends at once, in the middle of native code, which may not like it.
        return asked != ExitCodes.Done ? asked : Crashed(child.ExitCode, args);
    }

    /// <summary>Runs the command line in this process, which may be a child.</summary>
    public static int Here(string[] args)
    {
        using var interruption = new Interruption();
        if (args is not [Mark, var signals, var result, .. var command])
            return interruption.ExitCode(CommandLine.Run(args, CommandContext.OfConsole(interruption.Token)));
        using var parent = new AnonymousPipeClientStream(PipeDirection.Out, result);
        new Thread(() => Listen(new AnonymousPipeClientStream(PipeDirection.In, signals), interruption.Listener())) { IsBackground = true, Name = "supervision" }.Start();
        int exitCode = interruption.ExitCode(CommandLine.Run(command, CommandContext.OfConsole(interruption.Token)));
        Tell(parent, exitCode);
        return exitCode;
    }

    private static Process? Start(string[] args)
    {
        string program = Environment.ProcessPath!;
        bool isHost = Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        var start = new ProcessStartInfo(program, isHost ? [typeof(Supervisor).Assembly.Location, .. args] : args) { UseShellExecute = false };
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            // A sandbox that allows no further process: less safe is better than nothing.
            return null;
        }
    }

    private static void Tell(PipeStream pipe, int exitCode)
    {
        try
        {
            pipe.WriteByte((byte)exitCode);
        }
        catch (IOException)
        {
            // The other side has just ended.
        }
    }

    private static void Listen(AnonymousPipeClientStream pipe, Action<int> heard)
    {
        for (int exitCode = pipe.ReadByte(); exitCode >= 0; exitCode = pipe.ReadByte())
            heard(exitCode);
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    private static int Crashed(int exitCode, string[] args)
    {
        string how = exitCode > SignalBase ? string.Create(CultureInfo.InvariantCulture, $"signal {exitCode - SignalBase}") : string.Create(CultureInfo.InvariantCulture, $"exit code {exitCode}");
        bool wasKilled = exitCode == SignalBase + Kill;
        var failure = new SamCompressException(
            FailureKind.Runtime,
            wasKilled ? $"'{args[0]}' was killed ({how}), most likely because memory ran out" : $"'{args[0]}' crashed while it ran a model ({how}); no output was written",
            wasKilled ? "use --max-memory, --threads 1, or fewer --samples." : "a model or a picture may be damaged or made to do harm: 'samcompress check MODEL' looks at a model without running it.");
        return new ErrorRenderer(CommandContext.OfConsole(CancellationToken.None), CommandLine.AsksForJson(args)).Failure(failure);
    }
}
