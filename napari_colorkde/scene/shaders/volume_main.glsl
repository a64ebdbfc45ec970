void main()
{
    vec3 ray = normalize(v_far.xyz / v_far.w - v_near.xyz / v_near.w);
    // Rays parallel to a face would divide by zero.
    ray += vec3(lessThan(abs(ray), vec3(1e-6))) * 2e-6;

    // This fragment lies on a far face of the box (on a near one there is no way to go). Looking
    // back along the ray, each pair of faces is met at these distances; the ray is inside the box
    // after the last of them, and it begins at the eye at the earliest.
    vec3 entries = min(-v_position / ray, (1.0 - v_position) / ray);
    float start = max(max(entries.x, entries.y), entries.z);
    start = max(start, dot(v_near.xyz / v_near.w - v_position, ray));
    if (start >= -1e-5)
        discard;
    vec3 from = v_position + ray * start;
    vec3 to = v_position;

    // A cut shortens the way at one end.
    vec2 beyond = vec2(dot(u_cut.xyz, from), dot(u_cut.xyz, to)) - u_cut.w;
    if (min(beyond.x, beyond.y) > 0.0)
        discard;
    bool enters_cut = beyond.x > 0.0;
    vec3 met = mix(from, to, beyond.x / (beyond.x - beyond.y));
    from = enters_cut ? met : from;
    to = beyond.y > 0.0 ? met : to;

    float way = length((to - from) * u_size);
    float steps = max(ceil(way / u_step), 1.0);
    vec3 step = (to - from) / steps;
    // Every stretch is represented by its middle, shifted by a share of a step that differs from
    // pixel to pixel: noise is easier on the eye than rings.
    float shift = 0.5 + u_jitter * (random(gl_FragCoord.xy) - 0.5);
    vec3 first = loc_of(from + shift * step);
    vec4 light = march(first, step * (u_points - 1.0) / u_points, steps, way / steps);

    // The cut itself lies before everything else.
    float value = value_at(loc_of(from));
    float sheet = enters_cut ? opacity(abs(value), u_cut_sheet) : 0.0;
    gl_FragColor = vec4(sheet * color_at(loc_of(from), value), sheet) + (1.0 - sheet) * light;
}
