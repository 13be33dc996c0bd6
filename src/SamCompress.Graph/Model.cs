using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>The domain of an operator and how it is written.</summary>
public static class OperatorDomain
{
    /// <summary>The standard operators. Files write it empty or as <c>ai.onnx</c>.</summary>
    public const string Onnx = "";

    /// <summary>The contributed operators of ONNX Runtime.</summary>
    public const string Microsoft = "com.microsoft";

    public static string Normalize(string domain) => domain == "ai.onnx" ? Onnx : domain;
}

/// <summary>The version of an operator set that a model uses.</summary>
/// <param name="Domain">Normalized: empty for the standard operators.</param>
public sealed record OpsetImport(string Domain, long Version);

/// <summary>A function of the model: a graph whose inputs and outputs have no types.</summary>
public sealed class Function
{
    internal Function(FunctionProto shell, Graph body)
    {
        Shell = shell;
        Body = body;
    }

    public string Domain => OperatorDomain.Normalize(Shell.Domain);

    public string Name => Shell.Name;

    public string Overload => Shell.Overload;

    public IReadOnlyList<string> AttributeNames => Shell.Attribute;

    public IReadOnlyList<OpsetImport> OpsetImports => [.. Shell.OpsetImport.Select(o => new OpsetImport(OperatorDomain.Normalize(o.Domain), o.Version))];

    public Graph Body { get; }

    /// <summary>Everything but inputs, outputs and nodes.</summary>
    internal FunctionProto Shell { get; }
}

/// <summary>
/// An ONNX model. Owns the files that its tensors are mapped from: after <see cref="Dispose"/> no tensor of it can be read.
/// What it does not understand (unknown fields, training information) is carried through.
/// </summary>
public sealed class Model : IDisposable
{
    private readonly List<IDisposable> _resources = [];

    /// <summary>An empty model.</summary>
    public Model(long irVersion, IEnumerable<OpsetImport> opsetImports, string graphName = "main")
        : this(new ModelProto { IrVersion = irVersion })
    {
        Graph = new Graph(new GraphProto { Name = graphName }, Names);
        foreach (OpsetImport import in opsetImports)
            SetOpset(import.Domain, import.Version);
    }

    internal Model(ModelProto shell)
    {
        Shell = shell;
        Graph = null!;
    }

    public Graph Graph { get; internal set; }

    public IReadOnlyList<Function> Functions => FunctionList;

    /// <summary>Where the model was read from, or null.</summary>
    public string? Path { get; internal set; }

    /// <summary>What was accepted and yet looks suspicious in the files that the model was read from: warnings.</summary>
    public IReadOnlyList<Diagnostic> Findings { get; internal set; } = [];

    /// <summary>The files that the model was read from, in no meaningful order: its own and those of its external data.</summary>
    public IReadOnlyList<string> Files => [.. _resources.OfType<MappedFile>().Select(f => f.Path)];

    public long IrVersion
    {
        get => Shell.IrVersion;
        set
        {
            Shell.IrVersion = value;
            Names.Edited();
        }
    }

    public string ProducerName => Shell.ProducerName;

    public string ProducerVersion => Shell.ProducerVersion;

    /// <summary>In file order; a domain may be there twice only in a malformed model.</summary>
    public IReadOnlyList<OpsetImport> OpsetImports => [.. Shell.OpsetImport.Select(o => new OpsetImport(OperatorDomain.Normalize(o.Domain), o.Version))];

    /// <summary>The metadata of the model, in file order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata => [.. Shell.MetadataProps.Select(p => KeyValuePair.Create(p.Key, p.Value))];

    /// <summary>Whether anything was changed since the model was read.</summary>
    public bool IsEdited => Names.EditCount != EditCountAsRead;

    /// <summary>Every graph of the model, outer before inner: its own, then the bodies of the functions, each with its subgraphs.</summary>
    public IEnumerable<Graph> AllGraphs()
    {
        var pending = new Stack<Graph>(Functions.Reverse().Select(f => f.Body).Append(Graph));
        while (pending.TryPop(out Graph? graph))
        {
            yield return graph;
            foreach (Node node in graph.Nodes.Backwards())
            {
                foreach (Graph subgraph in node.Subgraphs.Reverse())
                    pending.Push(subgraph);
            }
        }
    }

    /// <summary>The version of an operator set that the model imports, or 0.</summary>
    public long Opset(string domain = OperatorDomain.Onnx) => OpsetImports.FirstOrDefault(o => o.Domain == domain)?.Version ?? 0;

    public void SetOpset(string domain, long version)
    {
        OperatorSetIdProto? import = Shell.OpsetImport.FirstOrDefault(o => OperatorDomain.Normalize(o.Domain) == domain);
        if (import is null)
            Shell.OpsetImport.Add(import = new OperatorSetIdProto { Domain = domain });
        import.Version = version;
        Names.Edited();
    }

    /// <summary>Imports an operator set of which no version is imported yet.</summary>
    public void ImportOpset(string domain, long version)
    {
        if (Opset(domain) == 0)
            SetOpset(domain, version);
    }

    /// <summary>Sets a metadata entry, or removes it when <paramref name="value"/> is null.</summary>
    public void SetMetadata(string key, string? value)
    {
        StringStringEntryProto? entry = Shell.MetadataProps.FirstOrDefault(p => p.Key == key);
        if (value is null)
        {
            if (entry is not null)
                Shell.MetadataProps.Remove(entry);
        }
        else if (entry is not null)
        {
            entry.Value = value;
        }
        else
        {
            Shell.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        }

        Names.Edited();
    }

    public void SetProducer(string name, string version)
    {
        Shell.ProducerName = name;
        Shell.ProducerVersion = version;
        Names.Edited();
    }

    public void Dispose()
    {
        foreach (IDisposable resource in _resources)
            resource.Dispose();
        _resources.Clear();
    }

    internal NameTable Names { get; } = new();

    /// <summary>The file that the model was read from, or null.</summary>
    internal MappedFile? Source { get; set; }

    internal long EditCountAsRead { get; set; } = -1;

    /// <summary>Everything but graph and functions.</summary>
    internal ModelProto Shell { get; }

    /// <summary>The tensor bytes left in the file, also of tensors that the IR only carries through.</summary>
    internal LiftedTensors Lifted { get; init; } = new();

    internal List<Function> FunctionList { get; } = [];

    internal void Own(IDisposable resource) => _resources.Add(resource);
}
