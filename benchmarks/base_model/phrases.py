"""What the pretraining text is put together from: sentence patterns, questions and pieces of made-up words."""

# Label, sentence patterns, and under which key each fact is extracted.
DOMAINS = (
    (
        "Booking",
        (
            "{person}[ from {place}] books {count} nights[ from {day}].",
            "A room for {person}[ from {place}], {count} nights[, starting on {day}].",
            "[From {day} ]{person}[ of {place}] stays for {count} nights.",
            "Please keep a room for {person}[ from {place}] for {count} nights[ from {day}].",
        ),
        {"guest": "person", "nights": "count", "town": "place", "start": "day"},
    ),
    (
        "Stock",
        (
            "There are {goods}[ in {place}][ on {day}].",
            "[The store in {place} has ]{goods}[ since {day}].",
            "We counted {goods}[ at {place}][ on {day}].",
            "Only {goods} left[ in {place}][ by {day}].",
        ),
        {"product": "item", "count": "count", "pack": "pack", "store": "place", "since": "day"},
    ),
    (
        "Meeting",
        (
            "{person} meets {other}[ in {place}][ on {day}].",
            "On the list: {person} and {other}[, {place}][, {day}].",
            "Could {person} see {other}[ on {day}][ in {place}]?",
            "{other} is waiting for {person}[ in {place}][ until {day}].",
        ),
        {"host": "person", "visitor": "other", "town": "place", "weekday": "day"},
    ),
    (
        "Parcel",
        (
            "{person} sent {goods} to {other}[ in {place}][ on {day}].",
            "{other}[ of {place}] got {goods} from {person}[ on {day}].",
            "[By {day} ]{goods} went from {person} to {other}[ in {place}].",
            "Parcel for {other}[, {place}]: {goods}, sent by {person}[ on {day}].",
        ),
        {
            "sender": "person",
            "content": "item",
            "amount": "count",
            "pack": "pack",
            "receiver": "other",
            "town": "place",
            "arrived": "day",
        },
    ),
)


# What made-up words are made of.
ONSETS = (*"bcdfghjklmnprstvwyz", "", "br", "ch", "cl", "dr", "fl", "gr", "kr", "pr", "qu", "sh", "st", "th", "tr")
VOWELS = (*"aaeeiioou", "y", "ai", "au", "ea", "ei", "ie", "oo", "ou")
CODAS = (
    *("", "", "l", "n", "r", "s", "t", "d", "k", "m", "x", "y", "z", "nd", "nt", "rk", "rs", "st", "ck", "ff"),
    *("er", "en", "an", "as", "es", "os", "el", "al", "ez", "in", "ega", "ler", "ter", "mer", "sen", "ants"),
)
NOUNS = (
    *("item", "quantity", "unit", "customer", "city", "day", "number", "name", "date", "page", "color"),
    *("size", "wire", "beans", "figs", "note", "list", "fault", "order", "place", "price"),
)
QUESTIONS = {
    "customer": ("Who is it for?", "Which customer?", "Name of the customer?"),
    "item": ("What are the goods?", "Which item?", "Of what?"),
    "quantity": ("How many?", "Which quantity?", "What is the number?"),
    "unit": ("In which unit?", "Packed in what?"),
    "city": ("Where to?", "Which city?", "In which city?"),
    "day": ("When?", "By which day?", "Which day?"),
}
SMALL_TALK = (
    ("Hello!", "Hello! How can I help you?"),
    ("Good morning.", "Good morning! What can I do for you?"),
    ("Who are you?", "I am a small model for notes and orders."),
    ("Thank you!", "You are welcome."),
    ("What can you do?", "I can read a note and write down what it says."),
    ("Goodbye.", "Goodbye, and have a nice day!"),
)
THANKS = (
    "Thank you, {customer} will get the {item}.",
    "The order is noted.",
    "Sure! I will tell {customer}.",
    "Of course. {item} it is.",
)
