namespace SamCompress.Passes;

/// <summary>The order of the passes, with the reason for each place that matters.</summary>
public static class StandardPipeline
{
    /// <summary>Turns an exporter's graph into a readable one that computes the same.</summary>
    public static IReadOnlyList<Pass> Cleanup { get; } = [];
}
