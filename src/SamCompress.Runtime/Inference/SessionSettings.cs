using SamCompress.IR;

namespace SamCompress.Runtime.Inference;

/// <summary>Where a model runs.</summary>
public enum ExecutionDevice
{
    Cpu,
    Cuda,
}

/// <summary>How far ONNX Runtime rewrites the graph when it opens a model.</summary>
public enum GraphOptimization
{
    /// <summary>The graph runs as it is in the file.</summary>
    None,

    /// <summary>Rewrites that keep to standard operators.</summary>
    Basic,

    /// <summary>Also fusions to ONNX Runtime's own operators.</summary>
    Extended,

    /// <summary>Also changes of memory layout: what a deployed model gets.</summary>
    All,
}

/// <summary>How a session is opened. The defaults are those of a deployed model.</summary>
public sealed record SessionSettings
{
    public static SessionSettings Default { get; } = new();

    /// <summary>For a model that has to be read before ONNX Runtime is given it.</summary>
    public ReadLimits Limits { get; init; } = ReadLimits.Default;

    public ExecutionDevice Device { get; init; }

    /// <summary>Threads inside one operator; 0 lets ONNX Runtime take one for each physical core.</summary>
    public int Threads { get; init; }

    public GraphOptimization Optimization { get; init; } = GraphOptimization.All;

    /// <summary>Where ONNX Runtime writes the graph that it really runs, or null. Weights go to a file beside it.</summary>
    public string? OptimizedModelPath { get; init; }

    /// <summary>Keeps freed memory for the next run: faster, but the peak is never given back before the session is closed.</summary>
    public bool UseMemoryArena { get; init; } = true;

    /// <summary>Plans one block for all activations; only of use when every run has the same shapes.</summary>
    public bool UseMemoryPattern { get; init; } = true;

    /// <summary>Makes the operators of ONNX Runtime Extensions (picture codecs) known.</summary>
    public bool UseExtensions { get; init; }

    /// <summary>Further configuration entries of ONNX Runtime, by their documented keys.</summary>
    public IReadOnlyDictionary<string, string> Entries { get; init; } = new Dictionary<string, string>();
}
