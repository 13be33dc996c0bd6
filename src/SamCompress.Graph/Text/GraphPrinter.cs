using System.Globalization;
using SamCompress.IR.Serialization;

namespace SamCompress.IR.Text;

/// <summary>
/// Writes ONNX text syntax, one node per line, in a layout that depends on nothing but the model. Printed in full, the text gives the same
/// model again through <see cref="GraphParser"/>: nodes, values, types, tensors bit for bit, attributes, subgraphs, functions and the
/// properties of the model. Left out are documentation and metadata of anything smaller than the model, denotations, types declared for
/// names that nothing has, quantization annotations, training information and unknown fields.
/// </summary>
public sealed class GraphPrinter
{
    private readonly TextWriter _writer;
    private readonly PrintOptions _options;
    private int _indent;
    private int _depth;

    private GraphPrinter(TextWriter writer, PrintOptions options)
    {
        _writer = writer;
        _options = options;
    }

    /// <exception cref="SamCompressException">The data of a tensor cannot be read, or graphs are nested too deep.</exception>
    public static string Print(Model model, PrintOptions? options = null)
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        Print(model, writer, options);
        return writer.ToString();
    }

    /// <inheritdoc cref="Print(Model, PrintOptions?)"/>
    public static void Print(Model model, TextWriter writer, PrintOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(writer);
        var printer = new GraphPrinter(writer, options ?? PrintOptions.Full);
        printer.Properties(ModelProperties(model));
        printer.Graph(model.Graph);
        printer.Line();
        foreach (Function function in model.Functions)
        {
            printer.Line();
            printer.Function(function);
        }
    }

    /// <inheritdoc cref="Print(Model, PrintOptions?)"/>
    public static string Print(Graph graph, PrintOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        var printer = new GraphPrinter(writer, options ?? PrintOptions.Full);
        printer.Graph(graph);
        printer.Line();
        return writer.ToString();
    }

    private static List<string> ModelProperties(Model model)
    {
        ModelProto shell = model.Shell;
        List<string> properties =
        [
            string.Create(CultureInfo.InvariantCulture, $"ir_version: {model.IrVersion}"),
            $"opset_import: {Opsets(model.OpsetImports)}",
        ];
        if (shell.HasProducerName)
            properties.Add($"producer_name: {TextSyntax.Quote(shell.ProducerName)}");
        if (shell.HasProducerVersion)
            properties.Add($"producer_version: {TextSyntax.Quote(shell.ProducerVersion)}");
        if (shell.HasDomain)
            properties.Add($"domain: {TextSyntax.Quote(shell.Domain)}");
        if (shell.HasModelVersion)
            properties.Add(string.Create(CultureInfo.InvariantCulture, $"model_version: {shell.ModelVersion}"));
        if (shell.HasDocString)
            properties.Add($"doc_string: {TextSyntax.Quote(shell.DocString)}");
        if (shell.MetadataProps.Count > 0)
            properties.Add($"metadata_props: [{string.Join(", ", shell.MetadataProps.Select(Pair))}]");
        return properties;
    }

    private static string Pair(StringStringEntryProto entry) => $"{TextSyntax.Quote(entry.Key)}: {TextSyntax.Quote(entry.Value)}";

    private static string Opsets(IEnumerable<OpsetImport> imports) =>
        $"[{string.Join(", ", imports.Select(i => string.Create(CultureInfo.InvariantCulture, $"{TextSyntax.Quote(i.Domain)}: {i.Version}")))}]";

    private void Properties(IReadOnlyList<string> properties)
    {
        _writer.Write('<');
        Items(properties, _writer.Write);
        _writer.Write(">\n");
    }

    private void Function(Function function)
    {
        FunctionProto shell = function.Shell;
        List<string> properties = [$"domain: {TextSyntax.Quote(function.Domain)}", $"opset_import: {Opsets(function.OpsetImports)}"];
        if (shell.Overload.Length > 0)
            properties.Insert(1, $"overload: {TextSyntax.Quote(shell.Overload)}");
        if (shell.HasDocString)
            properties.Add($"doc_string: {TextSyntax.Quote(shell.DocString)}");
        Properties(properties);
        _writer.Write(TextSyntax.Name(function.Name));
        if (shell.Attribute.Count + shell.AttributeProto.Count > 0)
        {
            _writer.Write(" <");
            _writer.Write(string.Join(", ", shell.Attribute.Select(TextSyntax.Name)));
            for (int i = 0; i < shell.AttributeProto.Count; i++)
            {
                _writer.Write(shell.Attribute.Count + i > 0 ? ", " : "");
                Attribute(AttributeText.Loose(shell.AttributeProto[i]));
            }

            _writer.Write('>');
        }

        _writer.Write($" ({Names(function.Body.Inputs)}) => ({Names(function.Body.Outputs)}) ");
        Body(function.Body, [.. function.Body.Inputs, .. function.Body.Outputs.Where(o => !o.IsGraphInput)]);
        Line();
    }

    private void Graph(Graph graph)
    {
        if (++_depth > TextSyntax.MaxDepth)
            throw new SamCompressException(FailureKind.InputRejected, $"graphs are nested deeper than {TextSyntax.MaxDepth}");
        _writer.Write($"{TextSyntax.Name(graph.Name)} ({Values(graph.Inputs)}) => ({Values(graph.Outputs)}) ");
        Body(graph, []);
        _depth--;
    }

    /// <param name="untyped">Values whose types the list before the nodes must give as well.</param>
    private void Body(Graph graph, IEnumerable<Value> untyped)
    {
        List<Action> declarations = [.. graph.Initializers.Select(v => (Action)(() => Initializer(v)))];
        foreach (SparseTensorProto sparse in graph.Shell.SparseInitializer)
            declarations.Add(() => SparseTensor(sparse, sparse.Values?.Name ?? ""));
        IEnumerable<Value> made = _options.TypesAsComments ? [] : graph.Nodes.SelectMany(n => n.Outputs).OfType<Value>().Where(v => !v.IsGraphOutput);
        foreach (Value value in untyped.Concat(made))
        {
            if (TypeText.Format(value) is { Length: > 0 } type)
                declarations.Add(() => _writer.Write($"{type} {TextSyntax.Name(value.Name)}"));
        }

        if (declarations.Count > 0)
        {
            _writer.Write('<');
            Items(declarations, d => d());
            _writer.Write("> ");
        }

        _writer.Write('{');
        _indent++;
        foreach (Node node in graph.Nodes)
        {
            Line();
            Node(node);
        }

        _indent--;
        Line();
        _writer.Write('}');
    }

    private void Node(Node node)
    {
        if (node.Name.Length > 0)
            _writer.Write($"[{TextSyntax.Name(node.Name)}] ");
        _writer.Write($"{Names(node.Outputs)}{(node.Outputs.Count > 0 ? " " : "")}= {Operator(node)}");
        bool graphs = node.Attributes.Any(a => a.Graphs.Count > 0);
        if (node.Attributes.Count > 0 && !graphs)
        {
            _writer.Write(" <");
            for (int i = 0; i < node.Attributes.Count; i++)
            {
                _writer.Write(i > 0 ? ", " : "");
                Attribute(node.Attributes[i]);
            }

            _writer.Write('>');
        }

        _writer.Write($" ({Names(node.Inputs)})");
        if (graphs)
        {
            _writer.Write(" <");
            Items(node.Attributes, Attribute);
            _writer.Write('>');
        }

        if (_options.TypesAsComments && node.Outputs.Any(o => o is not null && TypeText.Format(o).Length > 0))
            _writer.Write($"  # {string.Join(", ", node.Outputs.Select(o => o is not null && TypeText.Format(o) is { Length: > 0 } type ? type : "?"))}");
    }

    private static string Operator(Node node)
    {
        string name = TextSyntax.IsIdentifier(node.OpType) ? node.OpType : TextSyntax.Quote(node.OpType);
        if (node.Domain.Length > 0)
            name = (node.Domain.Split('.').All(TextSyntax.IsIdentifier) ? node.Domain : TextSyntax.Quote(node.Domain)) + "." + name;
        return node.Shell.Overload.Length > 0 ? $"{name}:{TextSyntax.Name(node.Shell.Overload)}" : name;
    }

    private void Attribute(NodeAttribute attribute)
    {
        _writer.Write(TextSyntax.Name(attribute.Name));
        if (attribute.Shell.HasRefAttrName)
        {
            string kind = attribute.Kind == AttributeKind.Undefined ? "" : $": {AttributeText.KindName(attribute.Kind)}";
            _writer.Write($"{kind} = @{TextSyntax.Name(attribute.Reference)}");
            return;
        }

        AttributeKind form = attribute.Kind == AttributeKind.Undefined ? AttributeText.Form(attribute) : attribute.Kind;
        bool isEmpty = form != AttributeKind.Undefined && AttributeText.IsEmptyList(attribute, form);
        bool isQuotedGraph = form == AttributeKind.Graph && attribute.Graphs.Count > 0 && TextSyntax.Name(attribute.Graphs[0].Name)[0] == '"';
        if (attribute.Kind == AttributeKind.Undefined || isEmpty || isQuotedGraph || form == AttributeKind.Graphs)
            _writer.Write($": {AttributeText.KindName(attribute.Kind)}");
        _writer.Write(" = ");
        AttributeValue(attribute, form);
    }

    private void AttributeValue(NodeAttribute attribute, AttributeKind form)
    {
        AttributeProto shell = attribute.Shell;
        switch (form)
        {
            case AttributeKind.Float:
                _writer.Write(AttributeText.FloatLiteral(shell.F));
                break;
            case AttributeKind.Int:
                _writer.Write(shell.I.ToString(CultureInfo.InvariantCulture));
                break;
            case AttributeKind.String:
                _writer.Write(TextSyntax.Quote(shell.S.Span));
                break;
            case AttributeKind.Tensor when attribute.Tensors.Count > 0:
                Tensor(attribute.Tensors[0]);
                break;
            case AttributeKind.Graph when attribute.Graphs.Count > 0:
                Graph(attribute.Graphs[0]);
                break;
            case AttributeKind.SparseTensor when shell.SparseTensor is not null:
                SparseTensor(shell.SparseTensor);
                break;
            case AttributeKind.TypeProto when shell.Tp is not null:
                _writer.Write(TypeText.Format(shell.Tp));
                break;
            case AttributeKind.Floats:
                _writer.Write($"[{string.Join(", ", shell.Floats.Select(AttributeText.FloatLiteral))}]");
                break;
            case AttributeKind.Ints:
                _writer.Write($"[{string.Join(", ", shell.Ints.Select(i => i.ToString(CultureInfo.InvariantCulture)))}]");
                break;
            case AttributeKind.Strings:
                _writer.Write($"[{string.Join(", ", shell.Strings.Select(s => TextSyntax.Quote(s.Span)))}]");
                break;
            case AttributeKind.TypeProtos:
                _writer.Write($"[{string.Join(", ", shell.TypeProtos.Select(TypeText.Format))}]");
                break;
            case AttributeKind.Tensors:
                Listed(attribute.Tensors, Tensor);
                break;
            case AttributeKind.Graphs:
                Listed(attribute.Graphs, Graph);
                break;
            case AttributeKind.SparseTensors:
                Listed(shell.SparseTensors, s => SparseTensor(s));
                break;
            default:
                // A kind without its value: a malformed attribute, which GraphChecker reports.
                _writer.Write(attribute.Kind == AttributeKind.Undefined ? "[]" : "?");
                break;
        }
    }

    private void Initializer(Value value)
    {
        Tensor tensor = value.Initializer!;
        _writer.Write($"{TensorType(tensor)} {TextSyntax.Name(value.Name)} = ");
        Elements(tensor);
    }

    private void Tensor(Tensor tensor)
    {
        _writer.Write(TensorType(tensor));
        _writer.Write(tensor.Name.Length > 0 ? $" {TextSyntax.Name(tensor.Name)} " : " ");
        Elements(tensor);
    }

    private void SparseTensor(SparseTensorProto sparse, string? name = null)
    {
        string dimensions = sparse.Dims.Count == 0 ? "" : $"[{string.Join(',', sparse.Dims)}]";
        var type = (ElementType)(sparse.Values?.DataType ?? 0);
        _writer.Write($"sparse_tensor({type.TextName()}{dimensions}) {(name is null ? "" : TextSyntax.Name(name) + " = ")}{{");
        if (sparse.Values is not null)
            Tensor(AttributeText.Loose(sparse.Values));
        if (sparse.Indices is not null)
        {
            _writer.Write(", ");
            Tensor(AttributeText.Loose(sparse.Indices));
        }

        _writer.Write('}');
    }

    private static string TensorType(Tensor tensor) =>
        tensor.Rank == 0 ? tensor.ElementType.TextName() : tensor.ToString();

    private void Elements(Tensor tensor)
    {
        _writer.Write('{');
        if (tensor.Count > _options.MaxElements)
            _writer.Write(TensorSummary.Of(tensor));
        else
            TensorText.Write(_writer, tensor);
        _writer.Write('}');
    }

    private static string Values(IEnumerable<Value> values) => string.Join(", ", values.Select(v =>
        TypeText.Format(v) is { Length: > 0 } type ? $"{type} {TextSyntax.Name(v.Name)}" : TextSyntax.Name(v.Name)));

    private static string Names(IEnumerable<Value?> values) => string.Join(", ", values.Select(v => TextSyntax.Name(v?.Name ?? "")));

    private void Listed<T>(IReadOnlyList<T> items, Action<T> write)
    {
        _writer.Write('[');
        for (int i = 0; i < items.Count; i++)
        {
            _writer.Write(i > 0 ? ", " : "");
            write(items[i]);
        }

        _writer.Write(']');
    }

    /// <summary>One item per line.</summary>
    private void Items<T>(IReadOnlyList<T> items, Action<T> write)
    {
        _indent++;
        for (int i = 0; i < items.Count; i++)
        {
            _writer.Write(i > 0 ? "," : "");
            Line();
            write(items[i]);
        }

        _indent--;
        Line();
    }

    private void Line()
    {
        _writer.Write('\n');
        for (int i = 0; i < _indent; i++)
            _writer.Write("  ");
    }
}
