using System.Runtime.InteropServices;

namespace SamCompress.Cli;

/// <summary>Turns SIGINT, SIGTERM and SIGHUP into a cancelled token, so that the running job cleans up. A second signal ends the process at once.</summary>
internal sealed class Interruption : IDisposable
{
    /// <summary>SIGXFSZ, which has no name in .NET and is the same on Linux and macOS. Without it the write fails, which is an error like a full disk.</summary>
    private const PosixSignal FileSizeExceeded = (PosixSignal)25;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode;

    public Interruption() =>
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Interrupt(signal, ExitCodes.Interrupted)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Interrupt(signal, ExitCodes.Terminated)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Interrupt(signal, ExitCodes.Interrupted)),
            .. OperatingSystem.IsWindows() ? [] : new[] { PosixSignalRegistration.Create(FileSizeExceeded, signal => signal.Cancel = true) },
        ];

    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of a run that ended with <paramref name="result"/>: that of the signal when the run was cancelled by one.</summary>
    public int ExitCode(int result) => result == ExitCodes.Interrupted && _exitCode != 0 ? _exitCode : result;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Interrupt(PosixSignalContext context, int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) != 0)
            Environment.Exit(exitCode);
        context.Cancel = true;
        _source.Cancel();
    }
}
