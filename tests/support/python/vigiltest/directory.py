"""Setting up customers, users and keys through the admin interface, by REST."""
from .clients import Rest


class Directory:
    def __init__(self, server):
        self.rest = Rest(server.port, server.admin_key())

    def add(self, kind, **members):
        answer = self.rest.post(f"/admin/v1/{kind}", members)
        assert answer.status == 201, f"adding to {kind} {members}: {answer}"
        return answer.data

    def customer(self, short_name, number, name=None, **members):
        return self.add("customers", shortName=short_name, id=number, name=name or short_name.capitalize(), **members)

    def user(self, short_name, customer, **members):
        return self.add("users", shortName=short_name, customer=customer, **members)

    def key(self, user, roles, customers=(), **members):
        """The key's text."""
        wanted = {"user": user, "role": list(roles), **members}
        if customers:
            wanted["customer"] = list(customers)
        return self.add("keys", **wanted)["key"]

    def close(self):
        self.rest.close()
