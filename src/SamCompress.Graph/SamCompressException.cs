namespace SamCompress;

/// <summary>Why a job could not be done; the number is the exit code of the command line.</summary>
public enum FailureKind
{
    /// <summary>A wrong option or configuration; nothing was read or written.</summary>
    Usage = 2,

    /// <summary>An input that is missing, unreadable, malformed, hostile or over a limit.</summary>
    InputRejected = 3,

    /// <summary>An input that was understood but is not supported.</summary>
    Unsupported = 4,

    /// <summary>An output that could not be written.</summary>
    Output = 5,

    /// <summary>A failure while a model ran.</summary>
    Runtime = 6,
}

/// <summary>An error that the user can act on: what is wrong and where, in one line, and what to do about it.</summary>
public sealed class SamCompressException : Exception
{
    public SamCompressException(FailureKind kind, string message, string? hint = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Kind = kind;
        Hint = hint;
    }

    public FailureKind Kind { get; }

    /// <summary>What to do next, or null.</summary>
    public string? Hint { get; }

    /// <summary>The file, and inside it the node or tensor, that the message is about; null when unknown.</summary>
    public string? Location { get; init; }
}

/// <summary>A broken invariant: a bug of SamCompress, never of its input.</summary>
public sealed class InvariantException(string message, Exception? innerException = null) : Exception(message, innerException);

public enum Severity
{
    Info,
    Warning,
    Error,
}

/// <summary>Something that the user would want to know; it ends in the report.</summary>
/// <param name="Id">Stable, for example SC3005; the first digit is the exit code it would have as an error.</param>
/// <param name="Where">The node, value or tensor that it is about.</param>
public sealed record Diagnostic(string Id, Severity Severity, string Where, string Message);
