using SamCompress.IR;

namespace SamCompress.Runtime.Inference;

/// <summary>A node of the graph that ONNX Runtime really runs.</summary>
/// <param name="Domain">Empty for the standard operators.</param>
/// <param name="Inputs">Names of the inputs; empty where an optional one is left out.</param>
public sealed record KernelNode(string OpType, string Domain, string Name, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs)
{
    /// <summary>The accuracy level of MatMulNBits: 4 multiplies as integers, and 0, like all others, in floating point.</summary>
    public long AccuracyLevel { get; init; }

    /// <summary>Whether the node multiplies quantized numbers as integers.</summary>
    public bool IsIntegerKernel => OpType is "MatMulIntegerToFloat" or "DynamicQuantizeMatMul" or "MatMulInteger" or "QLinearMatMul" or "QGemm"
        or "QLinearConv" or "ConvInteger" or "QAttention" || (OpType == "MatMulNBits" && AccuracyLevel == 4);

    /// <summary>Whether the node multiplies, in integers or in floating point.</summary>
    public bool IsMultiplication => IsIntegerKernel || OpType is "MatMulNBits" or "MatMul" or "Gemm" or "FusedMatMul" or "FusedGemm" or "Conv" or "FusedConv"
        or "ConvTranspose" or "NhwcConv" or "NhwcFusedConv" or "Attention" or "MultiHeadAttention" or "TransposeMatMul";
}

/// <summary>
/// The graph that ONNX Runtime made of a model: which operator runs each layer. Quantized layers can silently run in floating
/// point, so this is read from ONNX Runtime itself and not foreseen.
/// </summary>
public sealed class KernelReport
{
    /// <summary>A product is followed by Cast, Mul, Add and Squeeze at most.</summary>
    private const int FarthestOutput = 5;

    private static readonly string[] Carriers = ["DequantizeLinear", "QuantizeLinear", "Transpose", "Reshape", "Cast", "Identity", "Squeeze", "Unsqueeze", "Flatten"];

    private readonly Dictionary<string, List<KernelNode>> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KernelNode> _producers = new(StringComparer.Ordinal);

    private KernelReport(IReadOnlyList<KernelNode> nodes)
    {
        Nodes = nodes;
        foreach (KernelNode node in nodes)
        {
            foreach (string input in node.Inputs.Where(i => i.Length > 0))
            {
                if (!_users.TryGetValue(input, out List<KernelNode>? users))
                    _users.Add(input, users = []);
                users.Add(node);
            }

            foreach (string output in node.Outputs.Where(o => o.Length > 0))
                _producers[output] = node;
        }
    }

    /// <summary>In order of execution.</summary>
    public IReadOnlyList<KernelNode> Nodes { get; }

    /// <summary>How many nodes of each operator run, most frequent first.</summary>
    public IReadOnlyList<(string OpType, int Count)> Counts =>
        [.. Nodes.GroupBy(n => n.OpType).Select(g => (g.Key, g.Count())).OrderByDescending(p => p.Item2).ThenBy(p => p.Key, StringComparer.Ordinal)];

    /// <summary>Opens a model file and reads back what ONNX Runtime makes of it. The stage is removed again.</summary>
    /// <param name="stageDirectory">Where the optimized graph may lie for a moment; the system's temporary directory when null.</param>
    /// <exception cref="SamCompressException">ONNX Runtime refuses the model.</exception>
    public static KernelReport Read(string path, SessionSettings? settings = null, string? stageDirectory = null) =>
        Read(s => OnnxSession.Open(path, s), settings, stageDirectory);

    /// <summary>The same for a model in memory.</summary>
    /// <inheritdoc cref="Read(string, SessionSettings?, string?)"/>
    public static KernelReport Read(Model model, SessionSettings? settings = null, string? stageDirectory = null) =>
        Read(s => OnnxSession.Open(model, s), settings, stageDirectory);

    /// <summary>
    /// The node that runs a layer: the multiplication that reads one of the weights, directly or through operators that only
    /// carry it, or else the one that produces one of the outputs. Null when the layer was computed away or fused beyond recognition.
    /// Of several that read the same weight it is the one that produces one of the outputs, directly or through operators that follow a product.
    /// </summary>
    /// <param name="weights">Names under which the weight may appear: the initializer, and the outputs of its dequantization and transposition.</param>
    /// <param name="outputs">Names of the layer's output, then those of what may be fused behind it.</param>
    public KernelNode? Find(IEnumerable<string> weights, IEnumerable<string> outputs)
    {
        string[] names = [.. outputs];
        foreach (string weight in weights)
        {
            if (Follow(weight) is { Count: > 0 } users)
                return users.Find(u => LeadsTo(u, names)) ?? users[0];
        }

        foreach (string output in names)
        {
            if (_producers.GetValueOrDefault(output) is { IsMultiplication: true } producer)
                return producer;
        }

        return null;
    }

    private bool LeadsTo(KernelNode node, string[] outputs)
    {
        KernelNode? next = node;
        for (int i = 0; i < FarthestOutput && next is not null; i++)
        {
            if (next.Outputs.Any(outputs.Contains))
                return true;
            next = next.Outputs.Count == 1 && _users.GetValueOrDefault(next.Outputs[0]) is [{ IsMultiplication: false } only] ? only : null;
        }

        return false;
    }

    /// <summary>The multiplications that read a value, in order of execution.</summary>
    private List<KernelNode> Follow(string value)
    {
        var found = new List<KernelNode>();
        var pending = new Queue<string>([value]);
        var seen = new HashSet<string>(StringComparer.Ordinal) { value };
        while (pending.TryDequeue(out string? name))
        {
            foreach (KernelNode user in _users.GetValueOrDefault(name) ?? [])
            {
                if (user.IsMultiplication)
                {
                    found.Add(user);
                }
                else if (Carriers.Contains(user.OpType))
                {
                    foreach (string output in user.Outputs.Where(seen.Add))
                        pending.Enqueue(output);
                }
            }
        }

        return found;
    }

    private static KernelReport Read(Func<SessionSettings, OnnxSession> open, SessionSettings? settings, string? stageDirectory)
    {
        string stage = stageDirectory is null
            ? Directory.CreateTempSubdirectory("samcompress-").FullName
            : Directory.CreateDirectory(Path.Combine(stageDirectory, $".samcompress-{Environment.ProcessId}-kernels")).FullName;
        try
        {
            string optimized = Path.Combine(stage, "optimized.onnx");
            open((settings ?? SessionSettings.Default) with { OptimizedModelPath = optimized }).Dispose();
            using Model model = OnnxReader.Read(optimized);
            return new KernelReport([.. model.Graph.Nodes.Select(Describe)]);
        }
        finally
        {
            Directory.Delete(stage, recursive: true);
        }
    }

    private static KernelNode Describe(Node node) =>
        new(node.OpType, node.Domain, node.Name, [.. node.Inputs.Select(i => i?.Name ?? "")], [.. node.Outputs.Select(o => o?.Name ?? "")])
        {
            AccuracyLevel = node.GetInt("accuracy_level", 0),
        };
}
