using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>One operation of a graph. Created by <see cref="IR.Graph"/>; its inputs change only through <see cref="ReplaceInput"/>.</summary>
public sealed class Node
{
    private readonly List<NodeAttribute> _attributes;
    private Value?[] _inputs;
    private int[] _usePlaces;

    internal Node(Graph graph, NodeProto shell, IReadOnlyList<Value?> inputs, IReadOnlyList<string> outputs, IEnumerable<NodeAttribute> attributes)
    {
        Graph = graph;
        Shell = shell;
        Domain = OperatorDomain.Normalize(shell.Domain);
        _inputs = [.. inputs];
        _usePlaces = new int[_inputs.Length];
        _attributes = [.. attributes];
        var results = new Value?[outputs.Count];
        for (int i = 0; i < results.Length; i++)
        {
            if (outputs[i].Length > 0)
                results[i] = new Value(graph, outputs[i]) { Producer = this, OutputIndex = i };
        }

        Outputs = results;
        Attach();
    }

    /// <summary>The graph that holds the node. Null once it has been removed.</summary>
    public Graph? Graph { get; internal set; }

    /// <summary>Empty for the standard operators, which files also call <c>ai.onnx</c>.</summary>
    public string Domain { get; }

    public string OpType => Shell.OpType;

    /// <summary>May be empty, and need not be unique: a node is identified by its outputs.</summary>
    public string Name
    {
        get => Shell.Name;
        set
        {
            Shell.Name = value;
            Graph?.Names.Edited();
        }
    }

    /// <summary>Null where an optional input is left out.</summary>
    public IReadOnlyList<Value?> Inputs => _inputs;

    /// <summary>Null where an optional output is left out.</summary>
    public IReadOnlyList<Value?> Outputs { get; }

    /// <summary>The first output. Most operators have no other.</summary>
    public Value Output => Outputs[0] ?? throw new InvalidOperationException($"{this} leaves out its first output");

    public IReadOnlyList<NodeAttribute> Attributes => _attributes;

    /// <summary>The graphs held by the attributes: the branches of If, the bodies of Loop and Scan.</summary>
    public IEnumerable<Graph> Subgraphs => _attributes.Count == 0 ? [] : _attributes.SelectMany(a => a.Graphs);

    public Node? Next { get; internal set; }

    public Node? Previous { get; internal set; }

    /// <summary>Name, type, documentation, metadata and unknown fields; inputs, outputs and attributes are not in it.</summary>
    internal NodeProto Shell { get; }

    public bool Is(string opType, string domain = "") => OpType == opType && Domain == domain;

    /// <summary>The input at that place, or null when it is left out or beyond the end.</summary>
    public Value? Input(int index) => index < _inputs.Length ? _inputs[index] : null;

    public NodeAttribute? Attribute(string name) => _attributes.Find(a => a.Name == name);

    public long GetInt(string name, long defaultValue) => Attribute(name)?.Int ?? defaultValue;

    public float GetFloat(string name, float defaultValue) => Attribute(name)?.Float ?? defaultValue;

    public string GetString(string name, string defaultValue) => Attribute(name)?.String ?? defaultValue;

    /// <summary>The integers of the attribute, or null when it is absent.</summary>
    public IReadOnlyList<long>? GetInts(string name) => Attribute(name)?.Ints;

    /// <summary>Adds the attribute, in place of one of the same name.</summary>
    public void SetAttribute(NodeAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        int place = _attributes.FindIndex(a => a.Name == attribute.Name);
        if (place < 0)
        {
            _attributes.Add(attribute);
        }
        else
        {
            Adopt([.. _attributes[place].Graphs.Except(attribute.Graphs)], null);
            _attributes[place] = attribute;
        }

        Adopt(attribute.Graphs, this);
        Graph?.Names.Edited();
    }

    public bool RemoveAttribute(string name)
    {
        int place = _attributes.FindIndex(a => a.Name == name);
        if (place < 0)
            return false;
        Adopt(_attributes[place].Graphs, null);
        _attributes.RemoveAt(place);
        Graph?.Names.Edited();
        return true;
    }

    /// <summary>Makes input <paramref name="index"/> read <paramref name="value"/>; null leaves it out. Keeps both use lists right.</summary>
    public void ReplaceInput(int index, Value? value)
    {
        if (ReferenceEquals(_inputs[index], value))
            return;
        Disconnect(index);
        _inputs[index] = value;
        Connect(index);
        Graph?.Names.Edited();
    }

    /// <summary>Sets the number of inputs: cuts the last ones off, or adds places that are left out.</summary>
    public void ResizeInputs(int count)
    {
        for (int i = count; i < _inputs.Length; i++)
            Disconnect(i);
        Array.Resize(ref _inputs, count);
        Array.Resize(ref _usePlaces, count);
        Graph?.Names.Edited();
    }

    /// <summary>For logs and messages: the name, or else the first output, and the operator.</summary>
    public override string ToString()
    {
        string name = Name.Length > 0 ? Name : Outputs.FirstOrDefault(o => o is not null)?.Name ?? "?";
        return $"{name} ({(Domain.Length > 0 ? Domain + "." : "")}{OpType})";
    }

    /// <summary>For the reader, which makes all nodes before it can resolve the names of their inputs.</summary>
    internal void Complete(IReadOnlyList<Value?> inputs, IEnumerable<NodeAttribute> attributes)
    {
        _inputs = [.. inputs];
        _usePlaces = new int[_inputs.Length];
        _attributes.AddRange(attributes);
        Attach();
    }

    internal void UseMoved(int inputIndex, int place) => _usePlaces[inputIndex] = place;

    /// <summary>Registers the node as a user of its inputs and as the owner of its subgraphs.</summary>
    internal void Attach()
    {
        for (int i = 0; i < _inputs.Length; i++)
            Connect(i);
        foreach (NodeAttribute attribute in _attributes)
            Adopt(attribute.Graphs, this);
    }

    /// <summary>Gives up every use that the node, or a node in its subgraphs, makes of a value.</summary>
    internal void Detach()
    {
        for (int i = 0; i < _inputs.Length; i++)
            Disconnect(i);
        foreach (Graph subgraph in Subgraphs)
            subgraph.DetachAll();
    }

    private static void Adopt(IReadOnlyList<Graph> graphs, Node? owner)
    {
        foreach (Graph graph in graphs)
        {
            graph.Owner = owner;
            if (owner is null)
                graph.DetachAll();
        }
    }

    private void Connect(int index)
    {
        if (_inputs[index] is { } value)
            _usePlaces[index] = value.AddUse(this, index);
    }

    private void Disconnect(int index)
    {
        if (_inputs[index] is { } value)
        {
            _inputs[index] = null;
            value.RemoveUse(_usePlaces[index]);
        }
    }
}
