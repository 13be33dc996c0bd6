using System.Collections;
using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>
/// Inputs, outputs, initializers and ordered nodes; also the body of a function and the subgraphs of If, Loop and Scan.
/// Every edit keeps use lists and names right. Nodes may be added and removed while <see cref="Nodes"/> is enumerated.
/// </summary>
public sealed class Graph
{
    private readonly List<Value> _inputs = [];
    private readonly List<Value> _outputs = [];
    private readonly List<Value> _initializers = [];

    /// <summary>Makes an empty graph that shares the names of <paramref name="around"/>, for use as its subgraph.</summary>
    public Graph(string name, Graph around)
        : this(new GraphProto { Name = name }, around.Names)
    {
    }

    internal Graph(GraphProto shell, NameTable names)
    {
        Shell = shell;
        Names = names;
        Nodes = new NodeList(this);
    }

    public string Name
    {
        get => Shell.Name;
        set
        {
            Shell.Name = value;
            Names.Edited();
        }
    }

    /// <summary>The node that holds the graph as an attribute, or null for the graph of a model or function.</summary>
    public Node? Owner { get; internal set; }

    public IReadOnlyList<Value> Inputs => _inputs;

    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>The values with initial data, in file order.</summary>
    public IReadOnlyList<Value> Initializers => _initializers;

    public NodeList Nodes { get; }

    /// <summary>Names of initializers in sparse form, which are carried through but not interpreted.</summary>
    public IEnumerable<string> SparseInitializerNames => Shell.SparseInitializer.Select(s => s.Values?.Name ?? "");

    internal NameTable Names { get; }

    /// <summary>Name, documentation, metadata, sparse initializers, quantization annotations and unknown fields.</summary>
    internal GraphProto Shell { get; }

    /// <summary>Declared types in file order; where the value is null, nothing in the graph has that name.</summary>
    internal List<(Value? Value, ValueInfoProto Declaration)> Declarations { get; } = [];

    /// <summary>A name that no value of the model has: <paramref name="stem"/> itself, or with a number behind it.</summary>
    public string FreshName(string stem) => Names.Fresh(stem);

    public Value AddInput(string name, ElementType elementType = ElementType.Undefined, Shape? shape = null)
    {
        var value = new Value(this, name) { ElementType = elementType, Shape = shape };
        AddInput(value);
        return value;
    }

    public Value AddInitializer(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var value = new Value(this, name);
        SetInitializer(value, tensor);
        return value;
    }

    /// <summary>Gives a graph input or an initializer new initial data, or none.</summary>
    /// <exception cref="InvalidOperationException">A node produces the value.</exception>
    public void SetInitializer(Value value, Tensor? tensor)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Producer is not null)
            throw new InvalidOperationException($"{value} is produced by {value.Producer} and can have no initial data");
        if (value.Initializer is null && tensor is not null)
            _initializers.Add(value);
        else if (tensor is null)
            _initializers.Remove(value);
        value.Initializer = tensor;
        if (tensor is not null)
        {
            value.ElementType = tensor.ElementType;
            value.Shape = Shape.Of(tensor.Dimensions.AsSpan());
        }

        Names.Edited();
    }

    /// <summary>Takes the initial data away from every initializer that nothing reads and that is no graph input, and removes it.</summary>
    /// <returns>How many were removed.</returns>
    public int RemoveUnusedInitializers()
    {
        int removed = _initializers.RemoveAll(value =>
        {
            if (value.IsUsed || value.IsGraphInput)
                return false;
            Release(value);
            return true;
        });
        if (removed > 0)
            Names.Edited();
        return removed;
    }

    public void AddOutput(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        value.OutputUses++;
        _outputs.Add(value);
        Names.Edited();
    }

    public void RemoveOutput(int index)
    {
        _outputs[index].OutputUses--;
        _outputs.RemoveAt(index);
        Names.Edited();
    }

    /// <summary>Removes a graph input that nothing reads.</summary>
    /// <exception cref="InvalidOperationException">The input is used.</exception>
    public void RemoveInput(int index)
    {
        Value value = _inputs[index];
        if (value.IsUsed)
            throw new InvalidOperationException($"graph input {value} is used");
        _inputs.RemoveAt(index);
        value.IsGraphInput = false;
        if (value.Initializer is null)
            Release(value);
        Names.Edited();
    }

    /// <summary>Adds a node at the end.</summary>
    /// <param name="inputs">Null where an optional input is left out.</param>
    /// <param name="outputs">Names of the values to make; empty where an optional output is left out. They must be free: see <see cref="FreshName"/>.</param>
    public Node Append(
        string opType,
        IReadOnlyList<Value?> inputs,
        IReadOnlyList<string> outputs,
        IEnumerable<NodeAttribute>? attributes = null,
        string domain = "",
        string name = "") => InsertBefore(null, opType, inputs, outputs, attributes, domain, name);

    /// <summary>Adds a node before <paramref name="position"/>, or at the end when that is null.</summary>
    /// <inheritdoc cref="Append"/>
    public Node InsertBefore(
        Node? position,
        string opType,
        IReadOnlyList<Value?> inputs,
        IReadOnlyList<string> outputs,
        IEnumerable<NodeAttribute>? attributes = null,
        string domain = "",
        string name = "")
    {
        var shell = new NodeProto { OpType = opType };
        if (domain.Length > 0)
            shell.Domain = domain;
        if (name.Length > 0)
            shell.Name = name;
        return Insert(position, new Node(this, shell, inputs, outputs, attributes ?? []));
    }

    /// <summary>Removes a node whose outputs nothing uses.</summary>
    /// <exception cref="InvalidOperationException">An output is used, or the node is not in this graph.</exception>
    public void Remove(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.Graph != this)
            throw new InvalidOperationException($"{node} is not in graph '{Name}'");
        foreach (Value? output in node.Outputs)
        {
            if (output is { IsUsed: true })
                throw new InvalidOperationException($"{node} cannot be removed: its output '{output.Name}' is used");
        }

        node.Detach();
        foreach (Value? output in node.Outputs)
        {
            if (output is not null)
                Release(output);
        }

        Nodes.Unlink(node);
        Names.Edited();
    }

    /// <summary>
    /// Makes everything that uses <paramref name="old"/> use <paramref name="replacement"/>. A graph output keeps its name:
    /// the replacement takes it over, or, when it is itself an input, initializer or output, an Identity node carries it.
    /// </summary>
    public void Substitute(Value old, Value replacement)
    {
        ArgumentNullException.ThrowIfNull(old);
        ArgumentNullException.ThrowIfNull(replacement);
        if (ReferenceEquals(old, replacement))
            return;
        old.ReplaceUsesWith(replacement);
        if (!old.IsGraphOutput)
            return;
        string name = old.Name;
        old.Name = FreshName(name + "_replaced");
        if (replacement.Producer is null || replacement.IsGraphOutput || replacement.Graph != this)
        {
            ElementType type = replacement.ElementType;
            Shape? shape = replacement.Shape;
            replacement = Append("Identity", [replacement], [name]).Output;
            replacement.ElementType = type;
            replacement.Shape = shape;
        }
        else
        {
            replacement.Name = name;
        }

        if (old.OutputDeclaration is { } declaration)
        {
            replacement.OutputDeclaration = declaration;
            replacement.TypeChanged |= old.TypeChanged || old.ElementType != replacement.ElementType || !Equals(old.Shape, replacement.Shape);
            old.OutputDeclaration = null;
        }

        for (int i = 0; i < _outputs.Count; i++)
        {
            if (_outputs[i] != old)
                continue;
            _outputs[i] = replacement;
            old.OutputUses--;
            replacement.OutputUses++;
        }

        Names.Edited();
    }

    /// <summary>Puts the nodes into the given order, which must name each node once.</summary>
    public void Reorder(IReadOnlyList<Node> order)
    {
        Nodes.Relink(order);
        Names.Edited();
    }

    /// <summary>For the reader: adds a value that already exists as an input.</summary>
    internal void AddInput(Value value)
    {
        value.IsGraphInput = true;
        _inputs.Add(value);
        Names.Edited();
    }

    internal Node Insert(Node? position, Node node)
    {
        Nodes.Link(node, position);
        Names.Edited();
        return node;
    }

    internal void DetachAll()
    {
        foreach (Node node in Nodes)
            node.Detach();
    }

    private void Release(Value value)
    {
        Names.Release(value.Name);
        value.Graph = null;
    }
}

/// <summary>The nodes of a graph, in order. Enumeration survives every edit: removed nodes are skipped, added ones are met if they lie ahead.</summary>
public sealed class NodeList : IReadOnlyCollection<Node>
{
    private readonly Graph _graph;

    internal NodeList(Graph graph) => _graph = graph;

    public int Count { get; private set; }

    public Node? First { get; private set; }

    public Node? Last { get; private set; }

    public IEnumerator<Node> GetEnumerator()
    {
        for (Node? node = First; node is not null;)
        {
            yield return node;
            node = node.Next;
            while (node is not null && node.Graph != _graph)
                node = node.Next;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>From the last to the first, with the same promise.</summary>
    public IEnumerable<Node> Backwards()
    {
        for (Node? node = Last; node is not null;)
        {
            yield return node;
            node = node.Previous;
            while (node is not null && node.Graph != _graph)
                node = node.Previous;
        }
    }

    internal void Link(Node node, Node? position)
    {
        Node? previous = position is null ? Last : position.Previous;
        node.Next = position;
        node.Previous = previous;
        if (previous is null)
            First = node;
        else
            previous.Next = node;
        if (position is null)
            Last = node;
        else
            position.Previous = node;
        Count++;
    }

    /// <summary>The node keeps its own links, so that an enumerator that stands on it finds its way on.</summary>
    internal void Unlink(Node node)
    {
        if (node.Previous is null)
            First = node.Next;
        else
            node.Previous.Next = node.Next;
        if (node.Next is null)
            Last = node.Previous;
        else
            node.Next.Previous = node.Previous;
        node.Graph = null;
        Count--;
    }

    internal void Relink(IReadOnlyList<Node> order)
    {
        if (order.Count != Count || order.Distinct().Count() != Count || order.Any(n => n.Graph != _graph))
            throw new InvalidOperationException($"the order must name each of the {Count} nodes once");
        First = Last = null;
        Count = 0;
        foreach (Node node in order)
            Link(node, null);
    }
}
