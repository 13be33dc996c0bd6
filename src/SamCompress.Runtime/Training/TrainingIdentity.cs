using System.Security.Cryptography;
using System.Text;
using SamCompress.IR;
using SamCompress.Passes.Differentiation.Training;

namespace SamCompress.Runtime.Training;

/// <summary>Tells runs of training apart whose checkpoints must not be mixed up.</summary>
public static class TrainingIdentity
{
    /// <summary>The SHA-256 of the graph with all weights, frozen ones and first values of trained ones, and of options as text.</summary>
    public static string Of(TrainingGraph graph, string options)
    {
        ArgumentNullException.ThrowIfNull(graph);
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            OnnxWriter.Write(graph.Model, stream);
            foreach (Tensor initial in graph.State.Select(s => s.Initial).OfType<Tensor>())
                initial.CopyTo(stream);
            stream.Write(Encoding.UTF8.GetBytes(options));
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }
}
