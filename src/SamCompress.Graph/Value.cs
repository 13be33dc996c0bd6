using SamCompress.IR.Serialization;

namespace SamCompress.IR;

/// <summary>One place where a value is used: an input of a node.</summary>
public readonly record struct Use(Node Node, int InputIndex);

/// <summary>
/// A named edge of the graph: a graph input, an initializer, or an output of a node.
/// Its <see cref="Uses"/> are right at every moment, because inputs change only through <see cref="IR.Node.ReplaceInput"/>.
/// </summary>
public sealed class Value
{
    private readonly List<Use> _uses = [];
    private string _name;
    private ElementType _elementType;
    private Shape? _shape;

    internal Value(Graph graph, string name)
    {
        Graph = graph;
        _name = name;
        graph.Names.Take(name);
    }

    /// <summary>The graph that defines the value. Null once it has been removed.</summary>
    public Graph? Graph { get; internal set; }

    /// <summary>Unique within its graph and the graphs around it. Renaming does not touch the names of other values.</summary>
    public string Name
    {
        get => _name;
        set
        {
            if (value == _name)
                return;
            if (Graph is { } graph)
            {
                graph.Names.Release(_name);
                graph.Names.Take(value);
                graph.Names.Edited();
            }

            _name = value;
        }
    }

    /// <summary><see cref="IR.ElementType.Undefined"/> while unknown, and for values that are not tensors.</summary>
    public ElementType ElementType
    {
        get => _elementType;
        set
        {
            if (_elementType == value)
                return;
            _elementType = value;
            TypeChanged = true;
            Graph?.Names.Edited();
        }
    }

    /// <summary>Null while the rank is unknown, and for values that are not tensors.</summary>
    public Shape? Shape
    {
        get => _shape;
        set
        {
            if (Equals(_shape, value))
                return;
            _shape = value;
            TypeChanged = true;
            Graph?.Names.Edited();
        }
    }

    /// <summary>The node that computes the value; null for graph inputs and initializers.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Which output of the <see cref="Producer"/> it is.</summary>
    public int OutputIndex { get; internal set; }

    /// <summary>The inputs of nodes, also of nodes in subgraphs, that read the value. In no meaningful order, but a reproducible one.</summary>
    public IReadOnlyList<Use> Uses => _uses;

    public bool IsGraphInput { get; internal set; }

    public bool IsGraphOutput => OutputUses > 0;

    /// <summary>The initial data: fixed, unless the value is also a graph input, which a caller may override.</summary>
    public Tensor? Initializer { get; internal set; }

    /// <summary>The data of the value when it is an initializer that no caller can override, else null.</summary>
    public Tensor? Constant => IsGraphInput ? null : Initializer;

    public bool IsUsed => _uses.Count > 0 || IsGraphOutput;

    /// <summary>How often the value is an output of its graph.</summary>
    internal int OutputUses { get; set; }

    /// <summary>Name, type, documentation and metadata as they were read; null when the file declares none.</summary>
    internal ValueInfoProto? Declaration { get; set; }

    /// <summary>The same for its place among the graph outputs, which declare their types apart.</summary>
    internal ValueInfoProto? OutputDeclaration { get; set; }

    /// <summary>Whether element type or shape differ from <see cref="Declaration"/>.</summary>
    internal bool TypeChanged { get; set; }

    /// <summary>Sets type and shape as read, so that they count as unchanged.</summary>
    internal void Declare(ValueInfoProto declaration, ElementType elementType, Shape? shape)
    {
        Declaration = declaration;
        _elementType = elementType;
        _shape = shape;
    }

    /// <summary>Sets type and shape to what the file says, so that they count as unchanged.</summary>
    internal void Restore(ElementType elementType, Shape? shape)
    {
        _elementType = elementType;
        _shape = shape;
        TypeChanged = false;
    }

    /// <summary>Makes every node that reads this value read <paramref name="replacement"/>. Graph outputs stay: see <see cref="IR.Graph.Substitute"/>.</summary>
    public void ReplaceUsesWith(Value replacement)
    {
        ArgumentNullException.ThrowIfNull(replacement);
        if (ReferenceEquals(this, replacement))
            return;
        while (_uses.Count > 0)
        {
            Use use = _uses[^1];
            use.Node.ReplaceInput(use.InputIndex, replacement);
        }
    }

    /// <summary>Adds a use and returns its place in the list.</summary>
    internal int AddUse(Node node, int inputIndex)
    {
        _uses.Add(new Use(node, inputIndex));
        return _uses.Count - 1;
    }

    /// <summary>Removes the use at that place; the last one moves there and its node is told.</summary>
    internal void RemoveUse(int place)
    {
        Use last = _uses[^1];
        _uses[place] = last;
        last.Node.UseMoved(last.InputIndex, place);
        _uses.RemoveAt(_uses.Count - 1);
    }

    /// <summary>For example <c>%x: float[1,3]</c>.</summary>
    public override string ToString() => $"%{Name}: {ElementType.TextName()}{Shape?.ToString() ?? ""}";
}
