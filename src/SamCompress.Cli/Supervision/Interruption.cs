using System.Runtime.InteropServices;

namespace SamCompress.Cli.Supervision;

/// <summary>Turns SIGINT, SIGTERM and SIGHUP into a cancelled token, so that the running job cleans up. A second signal ends the process at once.</summary>
internal sealed class Interruption : IDisposable
{
    /// <summary>SIGXFSZ, which has no name in .NET and is the same on Linux and macOS. Without it the write fails, which is an error like a full disk.</summary>
    private const PosixSignal FileSizeExceeded = (PosixSignal)25;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode;

    /// <param name="forward">Takes the exit code of each signal in place of this process; null to act on it here.</param>
    public Interruption(Action<int>? forward = null)
    {
        Action<int> act = forward ?? Listener();
        _registrations =
        [
            Register(PosixSignal.SIGINT, ExitCodes.Interrupted, act),
            Register(PosixSignal.SIGTERM, ExitCodes.Terminated, act),
            Register(PosixSignal.SIGHUP, ExitCodes.Interrupted, act),
            .. OperatingSystem.IsWindows() ? [] : new[] { PosixSignalRegistration.Create(FileSizeExceeded, signal => signal.Cancel = true) },
        ];
    }

    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of a run that ended with <paramref name="result"/>: that of the signal when the run was cancelled by one.</summary>
    public int ExitCode(int result) => result == ExitCodes.Interrupted && _exitCode != 0 ? _exitCode : result;

    /// <summary>
    /// Takes the exit codes of the signals that come one way: cancels the job at the first, ends the process at the second. Ctrl-C in a terminal reaches a child by itself and by its parent,
    /// so each way counts for itself.
    /// </summary>
    public Action<int> Listener()
    {
        int heard = 0;
        return exitCode =>
        {
            if (Interlocked.Increment(ref heard) > 1)
                Environment.Exit(exitCode);
            Interlocked.CompareExchange(ref _exitCode, exitCode, 0);
            _source.Cancel();
        };
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private static PosixSignalRegistration Register(PosixSignal signal, int exitCode, Action<int> act) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        act(exitCode);
    });
}
